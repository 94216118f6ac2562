"""Every fault gets its place before the first run starts; what needs a certain revision chooses first."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from tests.faults.draft import LAST, LEADS, Draft
from tests.faults.plan import END, GLOBAL, INDEX, Fault
from tests.faults.scripts import Text

MOST = 6  # faults in one run
SHORTEST, LONGEST = 4, 8  # revisions in one run


def cut(texts: Sequence[Text], rng: random.Random) -> list[Draft]:
    """A chain in runs of a few revisions each."""
    drafts = []
    at = 0
    while at < len(texts):
        size = rng.randint(SHORTEST, LONGEST)
        drafts.append(Draft(texts[at : at + size]))
        at += size
    return drafts


def allot(faults: Sequence[Fault], drafts: Sequence[Draft], numbers: Iterator[int], rng: random.Random) -> list[Fault]:
    """Spread the faults evenly over the runs of all targets; returns those that found no place.

    `numbers` are for faults that are added because they lead to another one's point.
    """
    left = []
    for fault in sorted(faults, key=_turn):
        by_room = sorted(drafts, key=lambda draft: (len(draft.placed), rng.random()))
        with_room = [draft for draft in by_room if len(draft.placed) < MOST]
        if not (any(draft.add(fault, rng) for draft in with_room) or add_led(fault, with_room, numbers, rng)):
            left.append(fault)
    return left


def add_led(fault: Fault, drafts: Sequence[Draft], numbers: Iterator[int], rng: random.Random) -> bool:
    if fault.point not in LEADS:
        return False
    number = next(numbers)
    return any(draft.add_led(fault, number, rng) for draft in drafts)


def _turn(fault: Fault) -> int:
    if fault.point in (*INDEX, "lock_attempt"):
        return 0
    if fault.point in ("repaired", "recovered"):
        return 1
    if fault.point in LEADS:
        return 3
    # These are few for a run, or lead to the points of the turn after theirs.
    wanted = fault.kind.part in (*GLOBAL, "terminate", "cut", "unsent", "popped") or fault.point in (*LAST, *END)
    return 2 if wanted else 4
