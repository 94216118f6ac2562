"""Whether a plan would keep writers or readers of an existing table out for longer than the environment allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrations_app.admission.conditions import Condition
from migrations_app.engine.contract.plan import Direction
from migrations_app.models import Environment
from migrations_app.rehearsals.forecasts import forecast_plan
from migrations_app.rehearsals.freshness import Freshness

SHOWN = 5


def within_budget(environment: Environment, direction: Direction, found: Sequence[Freshness]) -> Iterator[Condition]:
    """By what fresh rehearsals measured; where there is none, nothing is forecast and nothing is said."""
    over = [one for one in forecast_plan(found, direction, environment.lock_budget_seconds) if one.over_budget]
    for one in over[:SHOWN]:
        yield Condition(
            "lock_over_budget",
            f"{one.revision_id} step {one.step}: {one.sentence}",
            "Split it into steps that hold no such lock while rows are read, or let an admin raise the environment's "
            "lock budget.",
        )
    if len(over) > SHOWN:
        yield Condition(
            "lock_over_budget",
            f"{len(over) - SHOWN} more locks are forecast to be held over {environment.lock_budget_seconds} s.",
            "See the rehearsal for each of them.",
        )
