"""Exemptions: one person asks to let a check pass for a while, another one decides."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Body, Router
from ninja.responses import Status
from pydantic import Field

from dashboard import access, access_gates
from dashboard.api.cursor import After, Limit, page
from dashboard.api.identity import BY_TOKEN
from dashboard.api.shapes import Asking, Moment, Reason, Telling, answers
from migrations_app.releases.gates.exemptions import STATES, told_of
from migrations_app.releases.gates.waivers import MOST_HOURS, ask_waiver, decide_waiver
from migrations_app.statuses import WaiverVerb

router = Router(tags=["gates"])

Key = Annotated[str, Field(max_length=63)]


class NewWaiver(Asking):
    gate: Key
    check: Key
    reason: Reason
    hours: Annotated[int, Field(description=f"How long it may hold, from now: 1 to {MOST_HOURS}.")]


class Deciding(Asking):
    """Approving takes no reason, everything else does."""

    reason: Reason = ""


class DecisionOut(Telling):
    verb: str
    by: str
    reason: str
    at: Moment


class WaiverOut(Telling):
    """Only an approved one lets its check pass."""

    id: int
    release: int
    gate: str
    check: str
    state: Annotated[str, Field(description=f"One of {', '.join(STATES)}.")]
    reason: str
    requested_by: str
    requested_at: Moment
    expires_at: Moment
    decisions: list[DecisionOut]


_SAME = frozenset(WaiverOut.model_fields) - {"release", "decisions"}


class WaiversOut(Telling):
    waivers: list[WaiverOut]
    next: str | None


NO_REASON = Deciding()
OptionalReason = Annotated[Deciding, Body()]


@router.post(
    "/releases/{int:release_number}/waivers", response=answers(WaiverOut, 201, also=409), operation_id="ask_waiver"
)
def ask(request: HttpRequest, release_number: int, body: NewWaiver) -> Status[WaiverOut]:
    """Nothing passes before a second person approves it, and it ends within a week."""
    release = access.release_for(request.user, release_number, "ask_waiver")
    by = access.require(request.user, "ask_waiver")
    asked = ask_waiver(release=release, gate=body.gate, check=body.check, reason=body.reason, hours=body.hours, by=by)
    return Status(201, _as_it_stands(request, asked.pk))


@router.get("/releases/{int:release_number}/waivers", response=answers(WaiversOut), operation_id="list_waivers")
def list_waivers(request: HttpRequest, release_number: int, after: After = "", limit: Limit = 50) -> WaiversOut:
    """Newest first, each with what became of it, a page at a time."""
    release = access.release_for(request.user, release_number)
    rows = access_gates.waivers_for(request.user, release)
    found, more = page(rows, f"exemptions of {release.pk}", after, limit)
    return WaiversOut(waivers=[_told(one) for one in found], next=more)


@router.post(
    "/waivers/{int:waiver_number}/approve",
    response=answers(WaiverOut, also=409),
    operation_id="approve_waiver",
    auth=BY_TOKEN,
)
def approve(request: HttpRequest, waiver_number: int, body: OptionalReason = NO_REASON) -> WaiverOut:
    """Never by who asked, and never by the release's author."""
    return _decide(request, waiver_number, WaiverVerb.APPROVE, body)


@router.post(
    "/waivers/{int:waiver_number}/decline",
    response=answers(WaiverOut, also=409),
    operation_id="decline_waiver",
    auth=BY_TOKEN,
)
def decline(request: HttpRequest, waiver_number: int, body: OptionalReason = NO_REASON) -> WaiverOut:
    return _decide(request, waiver_number, WaiverVerb.DECLINE, body)


@router.post(
    "/waivers/{int:waiver_number}/revoke",
    response=answers(WaiverOut, also=409),
    operation_id="revoke_waiver",
    auth=BY_TOKEN,
)
def revoke(request: HttpRequest, waiver_number: int, body: OptionalReason = NO_REASON) -> WaiverOut:
    """End one that was approved."""
    return _decide(request, waiver_number, WaiverVerb.REVOKE, body)


@router.post(
    "/waivers/{int:waiver_number}/withdraw",
    response=answers(WaiverOut, also=409),
    operation_id="withdraw_waiver",
    auth=BY_TOKEN,
)
def withdraw(request: HttpRequest, waiver_number: int, body: OptionalReason = NO_REASON) -> WaiverOut:
    """By who asked for it, approved or not."""
    return _decide(request, waiver_number, WaiverVerb.WITHDRAW, body)


def _decide(request: HttpRequest, number: int, verb: WaiverVerb, body: Deciding) -> WaiverOut:
    needed = "ask_waiver" if verb == WaiverVerb.WITHDRAW else "decide_waiver"
    waiver = access_gates.waiver_for(request.user, number, needed)
    decide_waiver(waiver, verb, reason=body.reason, by=access.require(request.user, needed))
    return _as_it_stands(request, number)


def _as_it_stands(request: HttpRequest, number: int) -> WaiverOut:
    return _told(access_gates.waiver_for(request.user, number))


def _told(waiver: access_gates.GateWaiver) -> WaiverOut:
    found = told_of(waiver, timezone.now())
    decisions = [DecisionOut(verb=one.verb, by=one.by, reason=one.reason, at=one.at) for one in found.decisions]
    return WaiverOut(release=waiver.release_id, decisions=decisions, **{name: getattr(found, name) for name in _SAME})
