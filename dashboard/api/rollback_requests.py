"""A roll-back that loses something on production takes two people: one asks for it, another one grants it."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Body, Router
from ninja.responses import Status
from pydantic import Field

from dashboard import access
from dashboard.api.shapes import Asking, Moment, Name, Reason, RevisionId, Telling, answers
from migrations_app.admission.consent import Wanted, ask_consent, decline_consent, grant_consent
from migrations_app.statuses import CONSENT_SENTENCES

router = Router(tags=["rollback requests"])


class NewRequest(Asking):
    """`typed` is the environment's name, as a person types it to confirm what is lost; `to` as for a run.

    `plan` is the fingerprint of the plan that was looked at: with another plan nothing is asked for.
    """

    service: Name
    environment: Name
    to: RevisionId | None = None
    typed: Annotated[str, Field(max_length=200)]
    plan: Annotated[str, Field(max_length=64)] | None = None
    reason: Reason


class LostOut(Telling):
    revision_id: str
    sentence: str


class RequestOut(Telling):
    """`run` is the run that granting it started."""

    id: int
    service: str
    environment: str
    to: str
    status: str
    sentence: str
    plan: str
    losses: list[LostOut]
    reason: str
    asked_by: str
    asked_at: Moment
    expires_at: Moment
    decided_by: str | None
    decided_at: Moment | None
    decided_reason: str
    run: int | None


class Remark(Asking):
    reason: Reason = ""


NO_REMARK = Remark()
OptionalRemark = Annotated[Remark, Body()]


def told(consent: access.RollbackConsent) -> RequestOut:
    return RequestOut(
        id=consent.pk,
        service=consent.environment.service.name,
        environment=consent.environment.name,
        to=consent.to,
        status=consent.status,
        sentence=CONSENT_SENTENCES[consent.status],
        plan=consent.plan,
        losses=[LostOut(revision_id=revision_id, sentence=sentence) for revision_id, sentence in consent.losses],
        reason=consent.reason,
        asked_by=consent.asked_by.get_username(),
        asked_at=consent.asked_at,
        expires_at=consent.expires_at,
        decided_by=consent.decided_by.get_username() if consent.decided_by else None,
        decided_at=consent.decided_at,
        decided_reason=consent.decided_reason,
        run=consent.run_id,
    )


@router.post("", response=answers(RequestOut, 201, also=409), operation_id="ask_rollback")
def ask(request: HttpRequest, body: NewRequest) -> Status[RequestOut]:
    """Ask for a roll-back that loses something on production. Nothing starts before a second person grants it."""
    environment = access.environment_for(request.user, body.service, body.environment, "create_run")
    by = access.require(request.user, "create_run")
    consent = ask_consent(Wanted(environment, body.to or "", body.typed, shown=body.plan), by=by, reason=body.reason)
    return Status(201, told(consent))


@router.get("/{int:request_id}", response=answers(RequestOut), operation_id="get_rollback_request")
def get_request(request: HttpRequest, request_id: int) -> RequestOut:
    return told(access.consent_for(request.user, request_id))


@router.post("/{int:request_id}/grant", response=answers(RequestOut, also=409), operation_id="grant_rollback")
def grant(request: HttpRequest, request_id: int, body: OptionalRemark = NO_REMARK) -> RequestOut:
    """Accept the losses and start the run; never by who asked."""
    consent = access.consent_for(request.user, request_id, "grant_rollback")
    grant_consent(consent, by=access.require(request.user, "grant_rollback"), reason=body.reason)
    return told(access.consent_for(request.user, request_id))


@router.post("/{int:request_id}/decline", response=answers(RequestOut, also=409), operation_id="decline_rollback")
def decline(request: HttpRequest, request_id: int, body: OptionalRemark = NO_REMARK) -> RequestOut:
    """Say no; whoever asked takes it back in the same way."""
    consent = access.consent_for(request.user, request_id)
    verb = "create_run" if consent.asked_by_id == request.user.pk else "grant_rollback"
    by = access.require(request.user, verb, f"rollback-request:{request_id}")
    decline_consent(consent, by=by, reason=body.reason)
    return told(access.consent_for(request.user, request_id))
