"""What rolling back a run means: exactly the revisions that it applied and that still stand, or why that cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import connection

from migrations_app.engine.errors import Refused
from migrations_app.models import LedgerEntry, Run
from migrations_app.runs.planning import ROOT
from migrations_app.statuses import TERMINAL, RunStatus

MOST_NAMED = 5


@dataclass(frozen=True)
class Undo:
    """`to` is the head afterwards; `gone` is what the run applied and somebody has rolled back since."""

    revision_ids: tuple[str, ...]  # in the order in which they are rolled back
    to: str
    gone: tuple[str, ...]


class CannotUndo(Refused):
    """`to` leads below the run where later revisions stand on it: they would be rolled back with it."""

    def __init__(self, code: str, message: str, next_step: str, *, to: str = "", later: tuple[str, ...] = ()) -> None:
        super().__init__(code, message, not_done="Nothing was rolled back.", next_step=next_step)
        self.to = to
        self.later = later


@dataclass(frozen=True)
class _Place:
    revision_id: str
    parent: str
    stands: bool  # by this run's own receipt
    below_head: bool  # between the lowest one that stands so and the head


@cache
def _query() -> str:
    return (Path(__file__).parent / "undo.sql").read_text(encoding="utf-8")


def undo_of(run: Run) -> Undo:
    """One query where it can be done. Raises CannotUndo with `run_is_…`, `run_applied_nothing`, `run_undone` or
    `run_not_newest`."""
    where = run.environment.name
    if run.status not in TERMINAL:
        word = RunStatus(run.status).label
        raise CannotUndo(
            f"run_is_{run.status}", f"Run {run.pk} on {where} is {word}.", f"Run {run.pk} has to end, or be cancelled."
        )
    places = _places(run) if run.direction == "up" else ()
    if not places:
        why = "rolled back" if run.direction == "down" else "left no receipt"
        raise CannotUndo(
            "run_applied_nothing",
            f"Run {run.pk} on {where} {why}, so it applied nothing that could be rolled back.",
            "Look at the environment for what stands there.",
        )
    standing = [place for place in places if place.stands]
    if not standing:
        raise _undone(run, [place.revision_id for place in places])
    to = standing[-1].parent or ROOT
    later = tuple(place.revision_id for place in places if place.below_head and not place.stands)
    if later:
        raise CannotUndo(
            "run_not_newest",
            f"{_named(later)} {'stands' if len(later) == 1 else 'stand'} on what run {run.pk} applied on {where}.",
            f"{'Roll everything back' if to == ROOT else f'Roll back to {to}'}, which takes "
            f"{'it' if len(later) == 1 else 'them'} along.",
            to=to,
            later=later,
        )
    gone = tuple(place.revision_id for place in places if not place.stands)
    return Undo(tuple(place.revision_id for place in standing), to, gone)


def _places(run: Run) -> tuple[_Place, ...]:
    """The newest first."""
    wanted = {"run": run.pk, "service": run.service_id, "environment": run.environment_id}
    with connection.cursor() as cursor:
        cursor.execute(_query(), wanted)
        return tuple(_Place(*row) for row in cursor.fetchall())


def _undone(run: Run, revision_ids: Sequence[str]) -> CannotUndo:
    back = LedgerEntry.objects.standing().filter(
        environment=run.environment_id, direction="down", revision_id__in=revision_ids
    )
    last = back.order_by("-seq").values_list("run_id", flat=True).first()
    by = f", last by run {last}" if last else ""
    return CannotUndo(
        "run_undone",
        f"What run {run.pk} applied on {run.environment.name} was rolled back already{by}.",
        "Look at the environment for what stands there now.",
    )


def _named(revision_ids: Sequence[str]) -> str:
    left = len(revision_ids) - MOST_NAMED
    named = ", ".join(revision_ids[:MOST_NAMED])
    return f"{named} and {left} more" if left > 0 else named
