"""What fresh rehearsals measured of a plan, statement by statement, read back from the rows they left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migrations_app.engine.clone.forecast import Forecast
from migrations_app.engine.clone.trace import Dropped, StatementTrace, trace_from_json
from migrations_app.engine.contract.plan import Direction
from migrations_app.models import RevisionRehearsal
from migrations_app.rehearsals.forecasts import forecast_part
from migrations_app.rehearsals.freshness import Freshness

Place = tuple[int, int]  # step and statement, from 1


@dataclass(frozen=True)
class Gone:
    """Something that a statement dropped; `cascade` where the statement did not name it."""

    kind: str
    name: str
    cascade: bool


@dataclass(frozen=True)
class Changed:
    relation: str
    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True)
class Measured:
    """One statement; `incomplete` where the clone's server did not let everything be seen."""

    step: int
    statement: int
    summary: str
    locks: tuple[tuple[str, str], ...]
    rewritten: tuple[str, ...]
    scanned: tuple[tuple[str, int], ...]
    dropped: tuple[Gone, ...]
    rows: tuple[Changed, ...]
    wal_bytes: int
    duration_ms: float
    sampled: bool
    incomplete: bool


@dataclass(frozen=True)
class RevisionMeasured:
    """`forecasts` say what a statement will take on the target itself, for each of its locks."""

    freshness: Freshness
    statements: Mapping[Place, Measured]
    forecasts: Mapping[Place, tuple[Forecast, ...]]


def statements_of(traces: Sequence[Mapping[str, Any]]) -> tuple[Measured, ...]:
    """From the stored dicts of engine.clone.trace.StatementTrace, in the order they ran."""
    return tuple(_measured(trace_from_json(one)) for one in traces)


def measured(found: Sequence[Freshness], direction: Direction, budget_s: float) -> dict[str, RevisionMeasured]:
    """For each revision what its fresh rehearsal measured; one without has no statements. One query."""
    column = "traces" if direction == "up" else "down_traces"
    fresh = [one.part.pk for one in found if one.part is not None and one.state == "fresh"]
    parts = RevisionRehearsal.objects.select_related("rehearsal").only(column, "rehearsal__clone")
    known = parts.in_bulk(fresh) if fresh else {}
    return {one.revision_id: _told(one, known, direction, budget_s) for one in found}


def _told(
    one: Freshness, known: Mapping[int, RevisionRehearsal], direction: Direction, budget_s: float
) -> RevisionMeasured:
    part = known.get(one.part.pk) if one.part is not None else None
    if part is None:
        return RevisionMeasured(one, {}, {})
    traces = part.traces if direction == "up" else part.down_traces
    statements = {(each.step, each.statement): each for each in statements_of(traces)}
    forecasts: dict[Place, tuple[Forecast, ...]] = {}
    for each in forecast_part(part, direction, budget_s):
        place = (each.step, each.statement)
        forecasts[place] = (*forecasts.get(place, ()), each)
    return RevisionMeasured(one, statements, forecasts)


def _measured(one: StatementTrace) -> Measured:
    return Measured(
        step=one.step,
        statement=one.statement,
        summary=one.summary,
        locks=one.locks,
        rewritten=one.rewritten,
        scanned=one.scanned,
        dropped=tuple(Gone(gone.kind, gone.name, _by_cascade(gone)) for gone in one.dropped),
        rows=tuple(Changed(*counts) for counts in one.rows),
        wal_bytes=one.wal_bytes,
        duration_ms=one.duration_ms,
        sampled=one.sampled,
        incomplete=not one.complete,
    )


def _by_cascade(dropped: Dropped) -> bool:
    """What is part of a dropped object, as a table's index is, goes with it and is no news."""
    return not dropped.original and dropped.normal
