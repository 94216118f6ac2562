"""Rolling back as one plan for pages, API and commands: what it does and loses, how long it took, where it ends."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from migrations_app.admission.door import Preview, Started, preview, start_run
from migrations_app.models import Environment, Run
from migrations_app.rehearsals.way_back import NoReturn, WayBack, point_of_no_return, way_back
from migrations_app.runs.planning import ROOT
from migrations_app.runs.undo import undo_of


@dataclass(frozen=True)
class RollbackPlan:
    environment: Environment
    to: str  # as it was asked for; empty means one step back
    plan: Preview
    back: WayBack
    no_return: NoReturn | None  # None where nothing is pending


def rollback_plan(environment: Environment, to: str = "") -> RollbackPlan:
    """Look without creating anything. Raises Refused("unknown_revision")."""
    plan = preview(environment=environment, direction="down", to=to or None)
    return RollbackPlan(environment, to, plan, way_back(plan.rehearsals), point_of_no_return(environment))


def roll_back_run(run: Run, *, by: User, reason: str = "", idempotency_key: str | None = None) -> Started:
    """Roll back exactly what a run applied. Raises CannotUndo, and NotAdmitted as for any other run.

    What it applied is looked at under the environment's lock: whoever comes second, from here or from the environment's
    page, meets the first one's run.
    """
    with transaction.atomic():
        environment = Environment.objects.select_for_update(of=("self",)).get(pk=run.environment_id)
        run.refresh_from_db(fields=["status"])
        # The same request again finds its run at work, or nothing left to roll back; start_run() knows it by its key.
        asked = Run.objects.filter(requested_by=by, idempotency_key=idempotency_key) if idempotency_key else None
        earlier = asked.first() if asked is not None else None
        return start_run(
            environment=environment,
            direction="down",
            to=(earlier.to_revision or ROOT) if earlier else undo_of(run).to,
            by=by,
            reason=reason,
            idempotency_key=idempotency_key,
        )
