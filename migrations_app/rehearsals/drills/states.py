"""The states of a drill as tables, and the one place where they change, by guarded UPDATEs; a lost race is False."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import F
from django.db.models.functions import Now

from migrations_app.models import Drill
from migrations_app.models.drill import OPEN_DRILL, DrillResult, DrillStatus

SENTENCES: dict[str, str] = {
    DrillStatus.READY: "Everything is prepared; the clock has not been started.",
    DrillStatus.RUNNING: "The clock runs; each press ends a step.",
    DrillStatus.FINISHED: "It was carried to its end and has a result.",
    DrillStatus.ABANDONED: "It was given up and says nothing about how long a recovery takes.",
}
RESULTS: dict[str, str] = {
    DrillResult.PASSED: "Recovered within the limit, every check passed, nobody had to step in.",
    DrillResult.WITH_INTERVENTIONS: "Recovered within the limit and every check passed, but a person had to step in.",
    DrillResult.FAILED: "It took too long, a check failed, or a step was not done.",
}
EDGES: dict[tuple[str, str], str] = {
    (DrillStatus.READY, DrillStatus.RUNNING): "the clock was started",
    (DrillStatus.READY, DrillStatus.ABANDONED): "given up before it began",
    (DrillStatus.RUNNING, DrillStatus.FINISHED): "the operator finished it",
    (DrillStatus.RUNNING, DrillStatus.ABANDONED): "the operator gave it up",
}
OPEN = frozenset(OPEN_DRILL)
GOOD = frozenset({DrillResult.PASSED, DrillResult.WITH_INTERVENTIONS})


def move(drill_id: int, *, to: DrillStatus, fields: Mapping[str, object] | None = None) -> bool:
    """End a drill if it may end so now; True when this call did it."""
    allowed = {old for old, new in EDGES if new == to}
    drills = Drill.objects.filter(pk=drill_id, status__in=allowed)
    values: dict[str, object] = {"status": to, "version": F("version") + 1, "finished_at": Now()}
    return drills.update(**values | dict(fields or {})) == 1


def press(drill_id: int, *, lap: int, fields: Mapping[str, object]) -> bool:
    """Count one press of the stopwatch, if `lap` presses were counted before; the first one starts the drill."""
    drills = Drill.objects.filter(pk=drill_id, status__in=OPEN, lap=lap)
    values = {"status": DrillStatus.RUNNING, "lap": F("lap") + 1, "version": F("version") + 1}
    return drills.update(**values | dict(fields)) == 1


def touch(drill_id: int, **fields: object) -> bool:
    """Something beside the clock changed; nothing is done to a drill that was abandoned."""
    drills = Drill.objects.filter(pk=drill_id).exclude(status=DrillStatus.ABANDONED)
    return drills.update(version=F("version") + 1, **fields) == 1
