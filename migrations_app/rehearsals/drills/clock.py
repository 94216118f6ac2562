"""The stopwatch: one verb counts a press. The database's clock decides; a browser says only how late a press is.

A press names how many presses it saw. One that was counted already, as by a second click, a second tab or a retry whose
answer was lost, is answered with how things stand; nothing is counted twice and no step is skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import connection, transaction

from migrations_app.audit.record import record
from migrations_app.models import Drill, DrillIntervention, DrillStep
from migrations_app.models.drill import OPEN_DRILL, DrillStatus
from migrations_app.rehearsals.drills import refusals
from migrations_app.rehearsals.drills.actions import fresh
from migrations_app.rehearsals.drills.refusals import NOTE_ABOVE_S
from migrations_app.rehearsals.drills.scenarios import RECOVERED_BY, STEPS
from migrations_app.rehearsals.drills.states import press
from migrations_app.rehearsals.drills.verdict import recovery_ms


@dataclass(frozen=True)
class Press:
    """`lap`: how many presses were seen. `held_ms`: how long this one waited in the browser. `pause`: start no step."""

    lap: int
    note: str = ""
    held_ms: int = 0
    pause: bool = False


@dataclass(frozen=True)
class Pressed:
    drill: Drill
    counted: bool  # False: it had been counted before


def next_step(drill: Drill, *, given: Press, by: User) -> Pressed:
    """Start the clock, or end the step in hand and start the one after it; after a pause only start.

    1. Lock the drill by counting the press, if it stands where the press saw it.
    2. Take the time: the database's, less what the browser held back, and never before what was recorded last.
    3. End the step in hand, or weigh the pause that ends now: above 60 s it is an intervention and needs a note.
    4. Start the next step, unless a pause is wanted or the fifth has ended.
    """
    refusals.within("time it was held back", given.held_ms, 0, refusals.MOST_HELD_MS)
    with transaction.atomic():
        before = Drill.objects.get(pk=drill.pk)
        if before.lap != given.lap or before.status not in OPEN_DRILL:
            return _again(before, given)
        if before.step == STEPS and before.resting:
            raise refusals.refuse("all_steps_ended", "All five steps have ended.", "Finish the drill.")
        starts = before.resting or (before.step < STEPS and not given.pause)
        fields = {"step": before.step + starts, "resting": not starts}
        if not press(before.pk, lap=given.lap, fields=fields):
            return _again(Drill.objects.get(pk=before.pk), given)
        steps = list(DrillStep.objects.filter(drill=before))
        at = _moment(before, steps, given.held_ms)
        if before.resting:
            _weigh_pause(before, steps, at, given.note, by)
        else:
            _end(before, steps, at, given)
        if starts:
            DrillStep.objects.filter(drill=before, number=before.step + 1).update(started_at=at)
        if before.lap == 0:
            Drill.objects.filter(pk=before.pk).update(started_at=at)
        _record(before, given, by)
    return Pressed(fresh(before), counted=True)


def _again(drill: Drill, given: Press) -> Pressed:
    """The press before the present one is a repetition; an older or a future one saw another drill than there is."""
    if drill.lap == given.lap + 1:
        return Pressed(fresh(drill), counted=False)
    if drill.status not in OPEN_DRILL:
        raise refusals.closed(drill, "timed")
    raise refusals.refuse(
        "lap_passed",
        f"The stopwatch was pressed {drill.lap} times, and this press saw {given.lap}: somebody else went on.",
        "Look at the stopwatch as it stands now.",
    )


def now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _moment(drill: Drill, steps: list[DrillStep], held_ms: int) -> datetime:
    marks = [moment for step in steps for moment in (step.started_at, step.ended_at) if moment]
    moment = now()
    return max([moment - timedelta(milliseconds=held_ms), *([max(marks)] if marks else [drill.created_at])])


def _end(drill: Drill, steps: list[DrillStep], at: datetime, given: Press) -> None:
    """With the third step the recovery is over, and its time is kept beside the drill, where lists read it."""
    step = steps[drill.step - 1]
    note = refusals.short("note", "\n".join(filter(None, (step.note, given.note.strip()))))
    saved = now() if given.held_ms else None
    DrillStep.objects.filter(pk=step.pk).update(ended_at=at, held_ms=given.held_ms, saved_at=saved, note=note)
    if drill.step == RECOVERED_BY:
        steps[RECOVERED_BY - 1].ended_at = at
        Drill.objects.filter(pk=drill.pk).update(recovery_ms=recovery_ms(steps))


def _weigh_pause(drill: Drill, steps: list[DrillStep], at: datetime, note: str, by: User) -> None:
    ended_at = steps[drill.step - 1].ended_at if drill.step else None
    if ended_at is None:
        return
    seconds = int((at - ended_at).total_seconds())
    what = f"The pause after step {drill.step}"
    note = refusals.noted(what, seconds, note)
    if seconds > NOTE_ABOVE_S or note:
        DrillIntervention.objects.create(
            drill=drill, step=drill.step, seconds=seconds, what=f"{what}.", note=note, by=by
        )


def _record(before: Drill, given: Press, by: User) -> None:
    action = "drill.begin" if before.status == DrillStatus.READY else "drill.next"
    after: dict[str, object] = {"lap": given.lap + 1, "held_ms": given.held_ms}
    record(
        actor=by,
        action="drill.pause" if given.pause and not before.resting else action,
        object=f"drill:{before.uid}",
        before={"step": before.step, "resting": before.resting},
        after=after,
    )
