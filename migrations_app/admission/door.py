"""The way into a run: every condition is looked at in the transaction that creates it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from migrations_app.admission.blast import Blast, blast_of
from migrations_app.admission.conditions import Condition, NotAdmitted
from migrations_app.admission.filled import filled_since
from migrations_app.admission.look import unmet
from migrations_app.admission.rehearsed import losses_of
from migrations_app.engine.contract.plan import Direction, PlannedRevision
from migrations_app.engine.errors import Refused
from migrations_app.models import Environment, Revision, Run
from migrations_app.rehearsals.forecasts import forecast_plan, step_forecasts
from migrations_app.rehearsals.freshness import Freshness, freshness
from migrations_app.runs.actions import create_run
from migrations_app.runs.planning import planned, revisions_between


@dataclass(frozen=True)
class Started:
    """The run, and whether this call created it or an earlier one with the same Idempotency-Key."""

    run: Run
    created: bool


@dataclass(frozen=True)
class Preview:
    """What a run would do now, everything that is in its way, and how far it reaches."""

    revisions: tuple[PlannedRevision, ...]
    conditions: tuple[Condition, ...]
    blast: Blast
    rehearsals: tuple[Freshness, ...]  # for each revision that would be run or rolled back
    losses: tuple[tuple[str, str], ...]  # revision and sentence, as rehearsals of the way back found them


def start_run(
    *,
    environment: Environment,
    direction: str,
    to: str | None = None,
    by: User,
    reason: str = "",
    idempotency_key: str | None = None,
    shown: str | None = None,
    consented: str = "",
) -> Started:
    """Create the run, or raise NotAdmitted with every unmet condition. The same key again is the same run.

    `shown` is the fingerprint of the plan that a person confirmed: another plan is refused ("plan_differs").
    `consented` is the hash of the losses that a second person accepted; admission.consent is the one to give it.
    """
    way = _direction(direction)
    fingerprint = _request_sha256(environment, way, to, reason)
    with transaction.atomic():
        # The lock orders rival requests, so that the second sees the first one's run and is told about it.
        environment = (
            Environment.objects.select_for_update(of=("self",)).select_related("service").get(pk=environment.pk)
        )
        earlier = _earlier(by, idempotency_key, fingerprint)
        if earlier is not None:
            return Started(earlier, created=False)
        revisions = revisions_between(environment, way, to)
        known = freshness(environment, way, revisions)
        conditions = unmet(environment, way, revisions, known, consented=consented)
        conditions = conditions or tuple(filled_since(environment, way, known))
        if conditions:
            raise NotAdmitted(conditions)
        plan = [planned(revision, way) for revision in revisions]
        losses = _losses(environment, way, revisions, known)
        if shown is not None and shown != blast_of(environment, way, plan, losses).fingerprint:
            raise plan_differs(environment)
        run = create_run(
            environment=environment,
            direction=way,
            revisions=plan,
            by=by,
            reason=reason,
            idempotency_key=idempotency_key,
            request_sha256=fingerprint,
            forecasts=step_forecasts(forecast_plan(known, way, environment.lock_budget_seconds)),
        )
        return Started(run, created=True)


def preview(*, environment: Environment, direction: str, to: str | None = None) -> Preview:
    """Look without creating anything."""
    way = _direction(direction)
    revisions = revisions_between(environment, way, to)
    known = freshness(environment, way, revisions)
    plan = tuple(planned(revision, way) for revision in revisions if _runnable(revision, way))
    losses = _losses(environment, way, revisions, known)
    blast = blast_of(environment, way, plan, losses)
    return Preview(plan, unmet(environment, way, revisions, known), blast, known, losses)


def _losses(
    environment: Environment, way: Direction, revisions: Sequence[Revision], known: Sequence[Freshness]
) -> tuple[tuple[str, str], ...]:
    return losses_of(environment, revisions, known) if way == "down" else ()


def plan_differs(environment: Environment) -> Refused:
    return Refused(
        "plan_differs",
        f"The plan for {environment.name} is not the one that was shown any more.",
        not_done="Nothing was started.",
        next_step="This is the plan as it is now; look at it again.",
    )


def _runnable(revision: Revision, direction: Direction) -> bool:
    return direction == "up" or revision.down_script is not None


def _direction(direction: str) -> Direction:
    if direction == "up":
        return "up"
    if direction == "down":
        return "down"
    raise Refused(
        "unknown_direction",
        f"{direction!r} is no direction.",
        not_done="No run was created.",
        next_step="Say up (apply) or down (roll back).",
    )


def _request_sha256(environment: Environment, direction: Direction, to: str | None, reason: str) -> str:
    request = {"environment": str(environment.uid), "direction": direction, "to": to, "reason": reason}
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def _earlier(by: User, key: str | None, fingerprint: str) -> Run | None:
    if key is None:
        return None
    run = Run.objects.filter(requested_by=by, idempotency_key=key).first()
    if run is not None and run.request_sha256 != fingerprint:
        raise Refused(
            "idempotency_conflict",
            f"This Idempotency-Key was used before for another request, run {run.pk}.",
            not_done="No run was created.",
            next_step="Use a new key for a new request.",
        )
    return run
