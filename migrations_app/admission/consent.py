"""Two people for a roll-back on production that loses something: one asks with a reason, another one grants it.

What is granted is the plan with the losses that both saw. When either has changed meanwhile nothing starts, and the
request is overtaken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from migrations_app.admission.conditions import Condition, NotAdmitted
from migrations_app.admission.door import Preview, plan_differs, preview, start_run
from migrations_app.admission.rehearsed import losses_hash
from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.models import Environment, RollbackConsent, Run
from migrations_app.permissions import may
from migrations_app.reasons import SHORTEST_REASON
from migrations_app.statuses import ConsentStatus

GOOD_FOR = timedelta(hours=24)
LOSSY = "lossy_rollback"


@dataclass(frozen=True)
class Wanted:
    """A way back as a person confirmed it: where, how far, with which plan, and the name that was typed."""

    environment: Environment
    to: str
    typed: str
    shown: str | None = None


def ask_consent(wanted: Wanted, *, by: User, reason: str) -> RollbackConsent:
    """Ask for a lossy roll-back. Raises Refused("not_confirmed"), NotAdmitted for whatever else is in its way."""
    _refuse_unconfirmed(wanted, reason)
    with transaction.atomic():
        environment = Environment.objects.select_for_update(of=("self",)).get(pk=wanted.environment.pk)
        overtaken = _overtake_the_old(environment)
        plan = preview(environment=environment, direction="down", to=wanted.to or None)
        _refuse_other_conditions(plan)
        if wanted.shown is not None and wanted.shown != plan.blast.fingerprint:
            raise plan_differs(environment)
        consent = RollbackConsent.objects.create(
            environment=environment,
            to=wanted.to,
            plan=plan.blast.fingerprint,
            losses=[list(loss) for loss in plan.losses],
            losses_hash=losses_hash(plan.losses),
            asked_by=by,
            reason=reason,
            expires_at=Now() + GOOD_FOR,
        )
        for old in overtaken:
            _record(old, "overtake", by, f"Request {consent.pk} is newer.")
        _record(consent, "ask", by, reason)
    consent.refresh_from_db()
    return consent


def grant_consent(consent: RollbackConsent, *, by: User, reason: str = "") -> Run:
    """Accept the losses and start the run, in one transaction. The run is asked for by who asked first.

    Raises Refused("own_request"), Refused("consent_is_…"), NotAdmitted, Refused("plan_differs").
    """
    if consent.asked_by_id == by.pk:
        raise _refused("own_request", "Nobody grants what they asked for themselves.", "Ask another person.")
    try:
        return _granted(consent, by, reason)
    except Refused as refusal:
        if _is_other_plan(refusal):
            _overtake(consent, by, refusal.message)
        raise


def _granted(consent: RollbackConsent, by: User, reason: str) -> Run:
    with transaction.atomic():
        # The environment first, as ask_consent() and start_run() do: in another order two people could deadlock.
        Environment.objects.select_for_update(of=("self",)).get(pk=consent.environment_id)
        held = _held(consent)
        if not may(held.asked_by, "create_run"):
            name = held.asked_by.get_username()
            raise _refused("asker_may_not", f"{name} may not start runs any more.", "Ask for it anew.")
        started = start_run(
            environment=held.environment,
            direction="down",
            to=held.to or None,
            by=held.asked_by,
            reason=held.reason,
            shown=held.plan,
            consented=held.losses_hash,
        )
        RollbackConsent.objects.filter(pk=held.pk).update(
            status=ConsentStatus.GRANTED,
            decided_by=by,
            decided_at=Now(),
            decided_reason=reason,
            run=started.run,
        )
        _record(held, "grant", by, reason)
    return started.run


def _is_other_plan(refusal: Refused) -> bool:
    """Not what both people saw: another plan, or other losses than were asked for."""
    conditions = refusal.conditions if isinstance(refusal, NotAdmitted) else ()
    return refusal.code == "plan_differs" or any(condition.code == LOSSY for condition in conditions)


def _overtake(consent: RollbackConsent, by: User, why: str) -> None:
    with transaction.atomic():
        waiting = RollbackConsent.objects.filter(pk=consent.pk, status=ConsentStatus.ASKED)
        if waiting.update(status=ConsentStatus.OVERTAKEN, decided_at=Now(), decided_reason=why[:500]):
            _record(consent, "overtake", by, why)


def decline_consent(consent: RollbackConsent, *, by: User, reason: str) -> RollbackConsent:
    """Say no; whoever asked may take it back in the same way."""
    withdrawn = consent.asked_by_id == by.pk
    status = ConsentStatus.WITHDRAWN if withdrawn else ConsentStatus.DECLINED
    with transaction.atomic():
        held = _held(consent)
        RollbackConsent.objects.filter(pk=held.pk).update(
            status=status, decided_by=by, decided_at=Now(), decided_reason=reason
        )
        _record(held, "withdraw" if withdrawn else "decline", by, reason)
    consent.refresh_from_db()
    return consent


def _held(consent: RollbackConsent) -> RollbackConsent:
    """The request under a lock, if it still waits and is not too old."""
    held = (
        RollbackConsent.objects.select_for_update(of=("self",))
        .select_related("environment__service", "asked_by")
        .get(pk=consent.pk)
    )
    if held.status != ConsentStatus.ASKED:
        word = ConsentStatus(held.status).label
        raise _refused(f"consent_is_{held.status}", f"This request is {word} already.", "Look at the environment.")
    if RollbackConsent.objects.filter(pk=held.pk, expires_at__lte=Now()).exists():
        raise _refused("consent_is_overtaken", "This request is older than a day.", "Ask for it again.")
    return held


def _overtake_the_old(environment: Environment) -> list[RollbackConsent]:
    """Those that make room for a newer request, each to be told of in the audit log."""
    asked = RollbackConsent.objects.filter(environment=environment, status=ConsentStatus.ASKED)
    waiting = list(asked.select_for_update(of=("self",)).select_related("environment__service"))
    asked.update(status=ConsentStatus.OVERTAKEN, decided_at=Now())
    return waiting


def _refuse_unconfirmed(wanted: Wanted, reason: str) -> None:
    wrong = []
    if wanted.typed != wanted.environment.name:
        wrong.append(f"The name that was typed is not {wanted.environment.name}.")
    if len(reason.strip()) < SHORTEST_REASON:
        wrong.append(f"A reason of {SHORTEST_REASON} characters or more is missing.")
    if wrong:
        raise _refused("not_confirmed", " ".join(wrong), "Confirm the losses with the name and a reason.")


def _refuse_other_conditions(plan: Preview) -> None:
    """Whatever a second person cannot clear."""
    others = tuple(condition for condition in plan.conditions if condition.code != LOSSY)
    if others:
        raise NotAdmitted(others)
    if not plan.conditions:
        raise NotAdmitted(
            (
                Condition(
                    "no_consent_needed",
                    "This roll-back needs no second person.",
                    "Start it on the environment's page.",
                ),
            )
        )


def _record(consent: RollbackConsent, verb: str, by: User, reason: str) -> None:
    environment = consent.environment
    record(
        actor=by,
        action=f"rollback_consent.{verb}",
        object=f"environment:{environment.service.name}/{environment.name}",
        after={"consent": consent.pk, "to": consent.to, "losses": consent.losses, "reason": reason},
    )


def _refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done="Nothing was started.", next_step=next_step)
