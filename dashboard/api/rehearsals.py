"""Rehearsals: start, watch, cancel, read what was measured."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Body, Query, Router
from ninja.responses import Status
from pydantic import Field

from dashboard import access
from dashboard.api.cursor import After, Limit, read, write
from dashboard.api.rehearsal_shapes import (
    RehearsalDetailOut,
    RehearsalOut,
    TraceOut,
    told,
    told_in_full,
    told_traces,
)
from dashboard.api.shapes import Asking, Moment, Name, Reason, RevisionId, Telling, answers
from migrations_app.rehearsals.actions import cancel_rehearsal, request_rehearsal
from migrations_app.rehearsals.listing import RehearsalFilter, list_rehearsals

router = Router(tags=["rehearsals"])
Word = Annotated[str, Query(max_length=200)]


class NewRehearsal(Asking):
    """Without a direction: of what is pending, or if nothing is, of rolling back the newest revision."""

    service: Name
    environment: Name
    direction: Literal["up", "down", ""] = ""
    to: RevisionId | None = None
    on: Annotated[
        Literal["target", "backup"],
        Field(description="What the clone is made of; a backup has to be named for the environment first."),
    ] = "target"
    reason: Reason = ""


class RehearsalsOut(Telling):
    rehearsals: list[RehearsalOut]
    next: str | None


class TracesOut(Telling):
    revision_id: str
    statements: list[TraceOut]


class RehearsalLineOut(Telling):
    seq: int
    at: Moment
    level: str
    revision_id: str
    message: str


class RehearsalLogOut(Telling):
    lines: list[RehearsalLineOut]
    next: int


class WhyCancel(Asking):
    reason: Reason = ""


NO_REASON = WhyCancel()


@router.get("", response=answers(RehearsalsOut), operation_id="list_rehearsals")
def list_all(
    request: HttpRequest, service: Word = "", environment: Word = "", after: After = "", limit: Limit = 50
) -> RehearsalsOut:
    """Newest first, a page at a time."""
    access.require(request.user, "view")
    before = int(read("rehearsals", after)[0]) if after else None
    window = list_rehearsals(RehearsalFilter(service=service, environment=environment, before=before), limit)
    more = write("rehearsals", window.older) if window.older is not None else None
    return RehearsalsOut(rehearsals=[told(one) for one in window.rows], next=more)


@router.post("", response=answers(RehearsalOut, 201, also=409), operation_id="start_rehearsal")
def start(request: HttpRequest, body: NewRehearsal) -> Status[RehearsalOut]:
    """Try what is pending, or the way back, on a clone of the environment's target or of its backup."""
    environment = access.environment_for(request.user, body.service, body.environment, "rehearse")
    by = access.require(request.user, "rehearse")
    rehearsal = request_rehearsal(
        environment=environment, direction=body.direction, to=body.to, by=by, reason=body.reason, ground=body.on
    )
    return Status(201, told(rehearsal))


@router.get("/{int:rehearsal_id}", response=answers(RehearsalDetailOut), operation_id="get_rehearsal")
def get_rehearsal(request: HttpRequest, rehearsal_id: int) -> RehearsalDetailOut:
    return told_in_full(access.rehearsal_for(request.user, rehearsal_id), request.user)


@router.get(
    "/{int:rehearsal_id}/revisions/{str:revision_id}/traces",
    response=answers(TracesOut),
    operation_id="get_rehearsal_traces",
)
def get_traces(request: HttpRequest, rehearsal_id: int, revision_id: str) -> TracesOut:
    """What each statement locked, rewrote, scanned, dropped and changed on the clone."""
    rehearsal = access.rehearsal_for(request.user, rehearsal_id, "view_sql")
    part = access.rehearsal_part_for(request.user, rehearsal, revision_id)
    return TracesOut(revision_id=part.revision_id, statements=told_traces(part))


@router.get("/{int:rehearsal_id}/log", response=answers(RehearsalLogOut), operation_id="get_rehearsal_log")
def get_log(
    request: HttpRequest,
    rehearsal_id: int,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
) -> RehearsalLogOut:
    rehearsal = access.rehearsal_for(request.user, rehearsal_id, "view_log")
    found = access.rehearsal_log_for(request.user, rehearsal).filter(seq__gt=after)[:limit]
    lines = [
        RehearsalLineOut(seq=line.seq, at=line.at, level=line.level, revision_id=line.revision_id, message=line.message)
        for line in found
    ]
    return RehearsalLogOut(lines=lines, next=lines[-1].seq if lines else after)


@router.post(
    "/{int:rehearsal_id}/cancel", response=answers(RehearsalOut, 202, also=409), operation_id="cancel_rehearsal"
)
def cancel(
    request: HttpRequest, rehearsal_id: int, body: Annotated[WhyCancel, Body()] = NO_REASON
) -> Status[RehearsalOut]:
    by = access.require(request.user, "rehearse", f"rehearsal:{rehearsal_id}")
    rehearsal = access.rehearsal_for(request.user, rehearsal_id, "rehearse")
    return Status(202, told(cancel_rehearsal(rehearsal, by=by, reason=body.reason)))
