"""The point of no return of a run that is on the way: which of its revisions it is, and how far off that still is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import connection

from migrations_app.models import Run
from migrations_app.statuses import TERMINAL

_WHY = {
    "irreversible": "on the clone its way back was refused",
    "lossy": "on the clone its way back lost something",
}


@dataclass(frozen=True)
class Ahead:
    """`steps` are those left up to its end; none are once it is applied. `ms` is their forecast, where each has one."""

    revision_id: str
    why: str
    steps: int
    ms: float | None


@cache
def _query() -> str:
    return (Path(__file__).parent / "ahead.sql").read_text(encoding="utf-8")


def no_return_ahead(run: Run) -> Ahead | None:
    """None where the run goes back, is over, or has no such revision as far as rehearsals tell. One query."""
    if run.direction != "up" or run.status in TERMINAL:
        return None
    wanted = {"run": run.pk, "service": run.service_id, "environment": run.environment_id, "done": run.steps_done}
    with connection.cursor() as cursor:
        cursor.execute(_query(), wanted)
        row = cursor.fetchone()
    if row is None:
        return None
    revision_id, last, one_way, verdict, ms = row
    why = "it has no down file" if one_way else _WHY[verdict]
    return Ahead(revision_id, why, max(last - run.steps_done, 0), ms)
