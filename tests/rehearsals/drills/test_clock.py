"""The stopwatch: what a press counts, what is counted once, and where a note is due."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connection

from migrations_app.engine.errors import Refused
from migrations_app.models import AuditEntry, Drill, DrillStep
from migrations_app.permissions import OPERATOR
from migrations_app.rehearsals.drills.actions import abandon_drill
from migrations_app.rehearsals.drills.clock import Press, Pressed, next_step
from tests.edge.drills import press, ready, shift
from tests.edge.fleet import make_environment, make_service
from tests.edge.people import person


def steps(drill: Drill) -> list[DrillStep]:
    return list(DrillStep.objects.filter(drill=drill))


def test_it_times_nothing_before_the_first_press(drill: Drill) -> None:
    assert (drill.status, drill.lap, drill.step, drill.started_at) == ("ready", 0, 0, None)
    assert [step.started_at for step in steps(drill)] == [None] * 5


def test_each_press_ends_a_step_and_starts_the_next_in_the_same_moment(drill: Drill, olga: User) -> None:
    drill = press(drill, olga)
    assert (drill.status, drill.step, drill.resting) == ("running", 1, False)
    assert drill.started_at == steps(drill)[0].started_at
    drill = press(drill, olga, 5)
    done = steps(drill)
    assert (drill.step, drill.resting, drill.lap) == (5, True, 6)
    assert [step.ended_at for step in done[:4]] == [step.started_at for step in done[1:]]
    assert done[2].ended_at is not None
    assert done[0].ended_at is not None
    assert drill.recovery_ms == round((done[2].ended_at - done[0].ended_at).total_seconds() * 1000)


def test_the_same_press_again_is_answered_and_not_counted(drill: Drill, olga: User) -> None:
    press(drill, olga)
    again = next_step(drill, given=Press(lap=0), by=olga)
    assert (again.counted, again.drill.lap, again.drill.step) == (False, 1, 1)
    assert AuditEntry.objects.filter(data__action="drill.begin").count() == 1


@pytest.mark.parametrize("lap", [0, 1, 4])
def test_a_press_that_saw_another_drill_is_refused(drill: Drill, olga: User, lap: int) -> None:
    press(drill, olga, 3)
    with pytest.raises(Refused) as refusal:
        next_step(drill, given=Press(lap=lap), by=olga)
    assert refusal.value.code == "lap_passed"
    assert "The stopwatch was pressed 3 times" in refusal.value.message
    drill.refresh_from_db()
    assert drill.lap == 3


def test_a_drill_whose_steps_have_all_ended_wants_to_be_finished(drill: Drill, olga: User) -> None:
    drill = press(drill, olga, 6)
    with pytest.raises(Refused, match="All five steps have ended"):
        next_step(drill, given=Press(lap=6), by=olga)


def test_an_abandoned_drill_is_not_timed(drill: Drill, olga: User) -> None:
    drill = abandon_drill(press(drill, olga), by=olga, reason="called away")
    with pytest.raises(Refused) as refusal:
        next_step(drill, given=Press(lap=1), by=olga)
    assert refusal.value.code == "drill_is_abandoned"
    assert steps(drill)[0].ended_at is None


@pytest.mark.parametrize(("seconds", "due"), [(0, False), (59, False), (61, True)])
def test_a_pause_above_a_minute_needs_a_note_and_is_an_intervention(
    drill: Drill, olga: User, seconds: int, due: bool
) -> None:
    drill = press(press(drill, olga), olga, pause=True)
    assert (drill.step, drill.resting) == (1, True)
    shift(drill, step_1_ended=seconds)
    if due:
        with pytest.raises(Refused) as refusal:
            press(drill, olga)
        assert refusal.value.code == "note_missing"
        drill.refresh_from_db()
        assert (drill.lap, drill.step, drill.resting) == (2, 1, True)
        drill = press(drill, olga, note="waited for the key")
        assert [(row.seconds, row.note) for row in drill.interventions.all()] == [(61, "waited for the key")]
    else:
        drill = press(drill, olga)
        assert not drill.interventions.exists()
    assert (drill.step, drill.resting) == (2, False)


def test_what_is_said_with_a_press_is_kept_with_the_step_that_ends(drill: Drill, olga: User) -> None:
    drill = press(press(drill, olga), olga, note="the wrong file at first")
    assert steps(drill)[0].note == "the wrong file at first"


def test_a_press_that_was_held_back_ends_its_step_when_it_was_made(drill: Drill, olga: User) -> None:
    drill = press(drill, olga)
    shift(drill, step_1_started=120)
    drill = press(drill, olga, held_ms=40_000)
    first, second, *_ = steps(drill)
    assert first.saved_at is not None
    assert first.ended_at is not None
    assert timedelta(seconds=39) < first.saved_at - first.ended_at < timedelta(seconds=41)
    assert first.held_ms == 40_000
    assert second.started_at == first.ended_at


def test_a_press_is_never_earlier_than_what_was_recorded_last(drill: Drill, olga: User) -> None:
    drill = press(press(drill, olga), olga, held_ms=3_600_000)
    first = steps(drill)[0]
    assert first.started_at == first.ended_at
    with pytest.raises(Refused, match="held back"):
        press(drill, olga, held_ms=3_600_001)


@pytest.fixture
def _own_connections() -> Iterator[None]:
    yield
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_of_two_presses_at_once_one_is_counted(_own_connections: None) -> None:
    olga = person("olga", OPERATOR)
    drill = press(ready(make_environment(make_service(olga)), olga), olga)
    together = Barrier(2)

    def one(_: int) -> Pressed:
        together.wait()
        try:
            return next_step(drill, given=Press(lap=1), by=olga)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(one, range(2)))
    assert sorted(each.counted for each in done) == [False, True]
    drill.refresh_from_db()
    assert (drill.lap, drill.step) == (2, 2)
    assert AuditEntry.objects.filter(data__action="drill.next").count() == 1
