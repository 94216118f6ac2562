"""The plan of a fault run: every fault has its place before anything is struck."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.faults.draft import Draft
from tests.faults.findings import Findings
from tests.faults.options import read_options
from tests.faults.outcome import Happened, RunEnd, Tally
from tests.faults.plan import KINDS, Fault, Placed, kind_of, make_faults
from tests.faults.pool import Pool
from tests.faults.programme import MOST, allot, cut
from tests.faults.report import judge
from tests.faults.scripts import write_texts

FULL = 500


def _drafts(targets: int, revisions: int, seed: int) -> list[Draft]:
    rng = random.Random(seed)
    chains = [write_texts(revisions // targets, f"{seed} {n}") for n in range(targets)]
    return [draft for chain in chains for draft in cut(chain, rng)]


def _struck(faults: Sequence[Fault], at: float = 10.0) -> list[Happened]:
    return [Happened(Placed(fault, ""), 1, fault.point, at, takeover=1.0) for fault in faults]


@pytest.mark.parametrize("seed", range(1, 9))
def test_it_has_a_place_for_every_fault_of_a_full_run(seed: int):
    others = [fault for fault in make_faults(FULL, seed, "") if fault.kind.part != "stop"]
    drafts = _drafts(12, 1000, seed)

    left = allot(others, drafts, itertools.count(FULL + 1), random.Random(seed))

    placed = [one.fault.number for draft in drafts for one in draft.placed]
    assert left == []
    assert sorted(number for number in placed if number <= FULL) == sorted(fault.number for fault in others)
    assert len(placed) == len(set(placed))
    assert max(len(draft.placed) for draft in drafts) <= MOST + 1


def test_it_strikes_every_kind_by_its_share():
    counted = Counter(fault.kind.name for fault in make_faults(FULL, 1, ""))
    assert counted == {kind.name: kind.share for kind in KINDS}


@pytest.mark.parametrize("point", ["repaired", "recovered", "already_applied", "connection_lost"])
def test_it_adds_the_fault_that_leads_to_a_point_nobody_comes_by(point: str):
    fault = Fault(1, kind_of("kill"), point, "job")
    drafts = _drafts(1, 10, 1)

    assert allot([fault], drafts, itertools.count(2), random.Random(1)) == []

    leading, led = next(draft.placed for draft in drafts if draft.placed)
    assert (leading.fault.number, led.fault.number) == (2, 1)


def test_it_breaks_no_session_right_before_a_lock_is_tried_for():
    texts = write_texts(10, "1")
    several = next(text for text in texts if text.kind == "several")
    before = texts[texts.index(several) - 1]
    lock = Fault(1, kind_of("kill at lock"), "lock_attempt", "job")
    broken = [Fault(n, kind_of("terminate"), "step_done", "hold") for n in range(2, 40)]
    first, then = Draft([before, several]), Draft([before, several])
    rng = random.Random(1)

    assert first.add(lock, rng)
    for fault in broken:
        first.add(fault, rng)
    assert [one.fault.number for one in first.placed if one.revision == before.revision_id] == []
    then.placed.append(Placed(broken[0], before.revision_id))
    assert not then.add(lock, rng)


def test_it_begins_no_more_stops_than_it_has_workers_to_spare():
    stop = kind_of("stop")
    pool = Pool([Fault(n, stop, "step_done", "stop") for n in (1, 2, 3)], itertools.count(4), workers=4)
    drafts = _drafts(4, 40, 1)
    rng = random.Random(1)

    assert [pool.fill(draft, rng) for draft in drafts[:3]] == [2, 2, 0]
    pool.spare(2)
    assert pool.fill(drafts[2], rng) == 2


def test_it_keeps_room_for_a_slow_stop_while_one_waits():
    stop = kind_of("stop")
    quick = [Fault(n, stop, "statement_done", "stop") for n in (1, 2)]
    slow = [Fault(n, stop, "step_done", "stop") for n in (3, 4)]
    pool = Pool([*quick, *slow], itertools.count(5), workers=3)
    rng = random.Random(1)
    plain = [text for text in write_texts(10, "1") if text.kind == "plain"]

    assert pool.fill(Draft(plain), rng) == 2
    assert pool.fill(Draft(plain), rng) == 0
    pool.spare(2)
    assert pool.fill(Draft(plain), rng) == 2
    assert pool.fill(Draft(plain), rng) == 1


def test_it_holds_back_what_cannot_be_struck_now():
    fault = Fault(1, kind_of("flush"), "step_done", "hold")
    away = [True]
    pool = Pool([fault], itertools.count(2), workers=2, possible=lambda fault: not away)
    draft = _drafts(1, 10, 1)[0]

    pool.fill(draft, random.Random(1))
    assert draft.placed == []
    away.clear()
    pool.fill(draft, random.Random(1))
    assert [one.fault.number for one in draft.placed] == [1]


def test_it_gives_back_what_was_missed_before_anything_else():
    first, second = (Fault(n, kind_of("kill"), "step_done", "job") for n in (1, 2))
    pool = Pool([first], itertools.count(3), workers=2)
    pool.put_back([Placed(second, "")])
    draft = _drafts(1, 10, 1)[0]

    pool.fill(draft, random.Random(1))

    assert [one.fault.number for one in draft.placed] == [2, 1]


def test_it_is_off_when_a_single_fault_was_not_struck():
    options = read_options(["--faults", "20"])
    faults = make_faults(20, 1, "")

    assert judge(options, Tally(happened=_struck(faults)), Findings()) == []
    assert judge(options, Tally(happened=_struck(faults[1:])), Findings()) == ["only 19 of 20 faults were struck"]


def test_it_does_not_count_a_fault_that_only_led_to_another():
    options = read_options(["--faults", "20"])
    faults = make_faults(20, 1, "")
    added = Fault(21, kind_of("kill"), "recorded", "job")

    bad = judge(options, Tally(happened=_struck([*faults[1:], added])), Findings())

    assert bad == ["only 19 of 20 faults were struck"]


def test_it_is_off_when_a_run_is_not_at_its_end_a_minute_after_the_last_fault():
    options = read_options(["--faults", "1"])
    happened = _struck(make_faults(1, 1, ""), at=100.0)
    late = RunEnd(2, "succeeded", asked_at=90.0, last_fault_at=None, at=161.0)
    later = RunEnd(3, "succeeded", asked_at=101.0, last_fault_at=None, at=200.0)

    bad = judge(options, Tally(happened=happened, ends=[late, later]), Findings())

    assert bad == ["a run ended 61 s after its last fault, the bar is 60 s"]


def test_it_is_off_when_nobody_took_over_from_a_stopped_worker():
    options = read_options(["--faults", "1"])
    alone = Happened(Placed(Fault(1, kind_of("stop"), "locked", "stop"), ""), 1, "locked", 10.0)

    assert judge(options, Tally(happened=[alone]), Findings()) == ["1 stopped runs were not taken over by anybody"]
