"""Break the glass over HTTP: one person asks with the release's name and a reason, another one answers."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import Field

from dashboard import access, access_cutovers
from dashboard.api.identity import BY_TOKEN
from dashboard.api.shapes import Asking, Moment, Name, Reason, Telling, answers
from migrations_app.releases.gates.glass import ask_to_break, decline_glass
from migrations_app.rollouts.cutting_over import break_glass

router = Router(tags=["cutovers"])


class NewGlass(Asking):
    """`typed` is the release's id, as a person types it to confirm."""

    typed: Annotated[str, Field(max_length=200)]
    reason: Reason


class Granting(Asking):
    """`environments` as for a cutover."""

    reason: Reason
    environments: Annotated[list[Name], Field(max_length=1000)] | None = None


class Declining(Asking):
    reason: Reason


class BlockerOut(Telling):
    gate: str
    sentence: str


class GlassOut(Telling):
    """`granted` is null while nobody has answered; `cutover` is what granting it started."""

    id: int
    release: int
    release_id: str
    blockers: list[BlockerOut]
    asked_by: str
    reason: str
    asked_at: Moment
    expires_at: Moment
    granted: bool | None
    answered_by: str
    answer_reason: str
    cutover: int | None


@router.post(
    "/releases/{int:release_number}/glass",
    response=answers(GlassOut, 201, also=409),
    operation_id="ask_to_break_glass",
    auth=BY_TOKEN,
)
def ask(request: HttpRequest, release_number: int, body: NewGlass) -> Status[GlassOut]:
    """Nothing starts before a second person grants it, within the hour."""
    release = access.release_for(request.user, release_number, "break_glass")
    by = access.require(request.user, "break_glass")
    asked = ask_to_break(release=release, typed=body.typed, reason=body.reason, by=by)
    return Status(201, _as_it_stands(request, asked.pk))


@router.get("/glass/{int:glass_number}", response=answers(GlassOut), operation_id="get_glass")
def get_glass(request: HttpRequest, glass_number: int) -> GlassOut:
    return _as_it_stands(request, glass_number)


@router.post(
    "/glass/{int:glass_number}/break", response=answers(GlassOut, also=409), operation_id="break_glass", auth=BY_TOKEN
)
def grant(request: HttpRequest, glass_number: int, body: Granting) -> GlassOut:
    """By another person than asked; the cutover starts with it, in the name of who asked."""
    glass = access_cutovers.glass_for(request.user, glass_number, "break_glass")
    by = access.require(request.user, "break_glass")
    break_glass(glass, reason=body.reason, environments=body.environments, by=by)
    return _as_it_stands(request, glass_number)


@router.post(
    "/glass/{int:glass_number}/decline",
    response=answers(GlassOut, also=409),
    operation_id="decline_glass",
    auth=BY_TOKEN,
)
def decline(request: HttpRequest, glass_number: int, body: Declining) -> GlassOut:
    glass = access_cutovers.glass_for(request.user, glass_number, "break_glass")
    decline_glass(glass, reason=body.reason, by=access.require(request.user, "break_glass"))
    return _as_it_stands(request, glass_number)


def _as_it_stands(request: HttpRequest, number: int) -> GlassOut:
    glass = access_cutovers.glass_for(request.user, number)
    answer = getattr(glass, "answer", None)
    started = getattr(glass, "cutover", None)
    return GlassOut(
        id=glass.pk,
        release=glass.release_id,
        release_id=glass.release.release_id,
        blockers=[BlockerOut(gate=gate, sentence=sentence) for gate, sentence in glass.blockers],
        asked_by=glass.asked_by.get_username(),
        reason=glass.reason,
        asked_at=glass.asked_at,
        expires_at=glass.expires_at,
        granted=answer.granted if answer else None,
        answered_by=answer.by.get_username() if answer else "",
        answer_reason=answer.reason if answer else "",
        cutover=started.pk if started else None,
    )
