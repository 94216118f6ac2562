"""What a plan will take on the real target, from what its fresh rehearsals measured, and how right that was so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from migrations_app.engine.clone.forecast import TELLING_MS, Forecast, TableSize, error_factor, forecast
from migrations_app.engine.clone.trace import trace_from_json
from migrations_app.engine.contract.plan import Direction
from migrations_app.models import RevisionRehearsal, RunStep
from migrations_app.rehearsals.freshness import Freshness
from migrations_app.statuses import StepStatus, Verdict

LOOKED_BACK = 200  # steps


@dataclass(frozen=True)
class EarlierError:
    """Of the steps that took long enough to tell; `factor` is None where none did."""

    factor: float | None
    steps: int


def forecast_plan(found: Sequence[Freshness], direction: Direction, budget_s: float) -> tuple[Forecast, ...]:
    """Of the revisions that have a fresh rehearsal; the others are not told of."""
    fresh = [one.part.pk for one in found if one.state == "fresh" and one.part is not None]
    parts = RevisionRehearsal.objects.select_related("rehearsal").in_bulk(fresh) if fresh else {}
    return tuple(coming for pk in fresh for coming in forecast_part(parts[pk], direction, budget_s))


def unmeasured(found: Sequence[Freshness], direction: Direction) -> list[str]:
    """Revisions whose measuring was given up on the clone, though they ran there: nothing can be forecast of them."""
    fresh = [one.part.pk for one in found if one.state == "fresh" and one.part is not None]
    parts = RevisionRehearsal.objects.filter(pk__in=fresh).order_by("ordinal")
    without = (
        parts.filter(traces=[])
        if direction == "up"
        else parts.filter(down_traces=[]).exclude(verdict=Verdict.IRREVERSIBLE)
    )
    return list(without.values_list("revision_id", flat=True))


def forecast_part(part: RevisionRehearsal, direction: Direction, budget_s: float) -> tuple[Forecast, ...]:
    """Of one revision, by the sizes that the target's tables had when the clone was made."""
    traces = [trace_from_json(one) for one in (part.traces if direction == "up" else part.down_traces)]
    tables = (part.rehearsal.clone or {}).get("tables", [])
    return forecast(traces, clone=_here(tables), target=_there(tables), budget_s=budget_s)


def step_forecasts(forecasts: Sequence[Forecast]) -> Mapping[tuple[str, int], float]:
    """Milliseconds of work by revision and step; a statement with several locks counts once."""
    statements = {(one.revision_id, one.step, one.statement): one.work_ms for one in forecasts}
    steps: dict[tuple[str, int], float] = {}
    for (revision_id, step, _), work_ms in statements.items():
        steps[revision_id, step] = steps.get((revision_id, step), 0.0) + work_ms
    return steps


def earlier_error(service_id: int) -> EarlierError | None:
    """By which factor a service's last forecasts were off, as a median; None: there were none."""
    done = RunStep.objects.filter(run__service_id=service_id, status=StepStatus.DONE, forecast_ms__isnull=False)
    last = list(done.order_by(F("pk").desc()).values_list("forecast_ms", "work_ms")[:LOOKED_BACK])
    pairs = [(float(before or 0.0), float(after)) for before, after in last if after >= TELLING_MS]
    return EarlierError(error_factor(pairs), len(pairs)) if last else None


def _here(tables: Sequence[Mapping[str, Any]]) -> dict[str, TableSize]:
    return {one["name"]: TableSize(one["rows"], one.get("bytes", 0)) for one in tables}


def _there(tables: Sequence[Mapping[str, Any]]) -> dict[str, TableSize]:
    return {one["name"]: TableSize(one["target_rows"], one["target_bytes"]) for one in tables}
