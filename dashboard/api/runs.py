"""Runs: list, start, watch."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from ninja import Header, Query, Router
from ninja.errors import ValidationError
from ninja.responses import Status

from dashboard import access
from dashboard.api.cursor import After, Limit, read, write
from dashboard.api.run_shapes import RunDetailOut, RunOut, etag, told, told_in_full
from dashboard.api.shapes import Asking, Name, Reason, RevisionId, Telling, answers
from migrations_app.admission.door import start_run
from migrations_app.runs.listing import VIEWS, RunFilter, list_runs

router = Router(tags=["runs"])

LONGEST_KEY = 200
Word = Annotated[str, Query(max_length=200)]


class NewRun(Asking):
    service: Name
    environment: Name
    direction: Literal["up", "down"]
    to: RevisionId | None = None
    reason: Reason = ""


class RunsOut(Telling):
    runs: list[RunOut]
    next: str | None


@router.get("", response=answers(RunsOut), operation_id="list_runs")
def list_all(
    request: HttpRequest,
    service: Word = "",
    environment: Word = "",
    status: Annotated[str, Query(max_length=40, description=f"One of {', '.join(VIEWS)}.")] = "",
    mine: bool = False,
    after: After = "",
    limit: Limit = 50,
) -> RunsOut:
    """Newest first, a page at a time."""
    person = access.require(request.user, "view")
    if status and status not in VIEWS:
        raise ValidationError([{"loc": ("query", "status"), "type": "choice", "msg": f"use {', '.join(VIEWS)}"}])
    before = int(read("runs", after)[0]) if after else None
    wanted = RunFilter(service=service, environment=environment, view=status, mine=mine, before=before)
    window = list_runs(person, wanted, limit)
    more = write("runs", window.older) if window.older is not None else None
    return RunsOut(runs=[told(run) for run in window.rows], next=more)


@router.post("", response=answers(RunOut, 200, 201, also=409), operation_id="start_run")
def start(
    request: HttpRequest,
    body: NewRun,
    idempotency_key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", description="The same key with the same body is the same run."),
    ] = None,
) -> Status[RunOut]:
    """201 with a new run; 200 with the run of an earlier request with the same key; 409 with every condition."""
    environment = access.environment_for(request.user, body.service, body.environment, "create_run")
    started = start_run(
        environment=environment,
        direction=body.direction,
        to=body.to,
        by=access.require(request.user, "create_run"),
        reason=body.reason,
        idempotency_key=checked(idempotency_key),
    )
    return Status(201 if started.created else 200, told(started.run))


@router.get("/{int:run_id}", response=answers(RunDetailOut), operation_id="get_run")
def get_run(request: HttpRequest, response: HttpResponse, run_id: int) -> RunDetailOut | HttpResponse:
    """With an ETag: ask with If-None-Match and get 304 while nothing has changed."""
    run = access.run_for(request.user, run_id)
    tag = etag(run)
    unchanged = get_conditional_response(request, etag=tag)
    for answer in (unchanged, response):
        if answer is not None:
            answer["ETag"] = tag
            answer["Cache-Control"] = "private, no-cache"
    return unchanged or told_in_full(run, request.user)


def checked(key: str | None) -> str | None:
    """Visible ASCII and not too long; anything else would be cut or changed on the way."""
    if key is None or (0 < len(key) <= LONGEST_KEY and all("!" <= character <= "~" for character in key)):
        return key
    message = f"it wants 1 to {LONGEST_KEY} visible ASCII characters"
    raise ValidationError([{"loc": ("header", "Idempotency-Key"), "type": "header", "msg": message}])
