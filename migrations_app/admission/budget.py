"""Whether a plan would keep writers or readers of an existing table out for longer than the environment allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrations_app.admission.conditions import Condition
from migrations_app.engine.contract.plan import Direction
from migrations_app.models import Environment
from migrations_app.rehearsals.forecasts import forecast_plan, unmeasured
from migrations_app.rehearsals.freshness import Freshness
from migrations_app.rehearsals.policy import needs_rehearsal

SHOWN = 5


def within_budget(environment: Environment, direction: Direction, found: Sequence[Freshness]) -> Iterator[Condition]:
    """By what fresh rehearsals measured. Without one nothing is said, and nothing where locks have no budget."""
    if not environment.lock_budget_seconds:
        return
    if needs_rehearsal(environment, direction):
        yield from _unmeasured(found, direction)
    over = [one for one in forecast_plan(found, direction, environment.lock_budget_seconds) if one.over_budget]
    for one in over[:SHOWN]:
        yield Condition(
            "lock_over_budget",
            f"{one.revision_id} step {one.step}: {one.sentence}",
            "Split it into steps that hold no such lock while rows are read, or let an admin raise the environment's "
            "lock budget, or set it to 0, which lets any lock pass.",
        )
    if len(over) > SHOWN:
        yield Condition(
            "lock_over_budget",
            f"{len(over) - SHOWN} more locks are forecast to be held over {environment.lock_budget_seconds} s.",
            "See the rehearsal for each of them.",
        )


def _unmeasured(found: Sequence[Freshness], direction: Direction) -> Iterator[Condition]:
    for revision_id in unmeasured(found, direction)[:SHOWN]:
        yield Condition(
            "locks_unknown",
            f"{revision_id} ran on the clone, but its locks could not be measured there, so they are unknown.",
            "Rehearse it again, and see in that rehearsal's log why the measuring was given up; or let an admin set "
            "the environment's lock budget to 0, which lets any lock pass.",
        )
