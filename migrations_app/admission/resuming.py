"""Going on with a held run: a way back is looked at again, since rows were written and rehearsals aged meanwhile.

A revision that was begun has to be ended, whatever has happened; then nothing is asked. Nor is anything asked upwards:
the engine compares receipts, bytes and locks itself as it goes on.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from migrations_app.admission.conditions import Condition, NotAdmitted
from migrations_app.admission.filled import filled_since
from migrations_app.admission.rehearsed import losses_hash, losses_of, rehearsed
from migrations_app.models import Environment, RollbackConsent, Run
from migrations_app.rehearsals.freshness import freshness
from migrations_app.runs import actions
from migrations_app.runs.planning import ROOT, revisions_between
from migrations_app.statuses import HELD, StepStatus

_CLEARS = "Cancel this run, rehearse what is left of it, and ask for the roll-back again."


def resume_run(run: Run, *, by: User, reason: str = "") -> Run:
    """Queue a held run again. Raises NotAdmitted, and Refused("run_is_…") for one that is not held."""
    with transaction.atomic():
        environments = Environment.objects.select_for_update(of=("self",)).select_related("service")
        environment = environments.get(pk=run.environment_id)
        run.refresh_from_db()
        conditions = _unmet(run, environment) if run.status in HELD and run.direction == "down" else ()
        if conditions:
            raise NotAdmitted(conditions, not_done="The run stays held, and nothing was changed.")
        return actions.resume(run, by=by, reason=reason)


def _unmet(run: Run, environment: Environment) -> tuple[Condition, ...]:
    left = revisions_between(environment, "down", run.to_revision or ROOT)
    if not left or run.steps.filter(revision_id=left[0].revision_id).exclude(status=StepStatus.PENDING).exists():
        return ()
    known = freshness(environment, "down", left)
    accepted = _accepted(run, losses_of(environment, left, known))
    found = (
        *rehearsed(environment, "down", left, known, consented=accepted),
        *filled_since(environment, "down", known),
    )
    return tuple(Condition(one.code, one.sentence, _CLEARS) for one in found)


def _accepted(run: Run, losses: tuple[tuple[str, str], ...]) -> str:
    """What two people accepted for the whole run holds for what is left of it."""
    consent = RollbackConsent.objects.filter(run=run).first()
    accepted = {tuple(loss) for loss in consent.losses} if consent is not None else set()
    return losses_hash(losses) if accepted.issuperset(losses) else ""
