"""Where a run needs a fresh rehearsal: set for each environment; unset, it goes by the name of its stage."""

from __future__ import annotations

from migrations_app.engine.contract.plan import Direction
from migrations_app.fleet.production import is_called_production
from migrations_app.models import Environment
from migrations_app.statuses import RehearsalPolicy


def needs_rehearsal(environment: Environment, direction: Direction) -> bool:
    """By stage means: to roll back, where the stage is called prod or production."""
    policy = environment.rehearsal_policy
    if policy == RehearsalPolicy.BY_STAGE:
        return direction == "down" and is_called_production(environment)
    return policy == RehearsalPolicy.ALWAYS or (policy == RehearsalPolicy.ROLLBACK and direction == "down")


def policy_words(environment: Environment) -> str:
    """The sentence for the environment's page."""
    if environment.rehearsal_policy == RehearsalPolicy.BY_STAGE:
        if is_called_production(environment):
            return f"Rolling back needs a fresh rehearsal, as the stage is called {environment.stage}."
        return "No run needs a rehearsal here, as the stage is not called production."
    if environment.rehearsal_policy == RehearsalPolicy.NEVER and is_called_production(environment):
        return "No run needs a rehearsal here; a way back that may lose what nobody saw needs a second person."
    return {
        RehearsalPolicy.NEVER: "No run needs a rehearsal here.",
        RehearsalPolicy.ROLLBACK: "Rolling back needs a fresh rehearsal.",
        RehearsalPolicy.ALWAYS: "Applying and rolling back need a fresh rehearsal.",
    }[RehearsalPolicy(environment.rehearsal_policy)]
