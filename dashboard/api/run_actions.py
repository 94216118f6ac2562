"""What a person may ask of a run: cancel, pause, resume, resolve. Each answers 202: it was asked for."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja import Body, Router
from ninja.responses import Status

from dashboard import access
from dashboard.api.run_shapes import RunOut, told
from dashboard.api.shapes import Asking, Reason, answers
from migrations_app.admission.resuming import resume_run
from migrations_app.runs import actions

router = Router(tags=["runs"])


class Why(Asking):
    reason: Reason = ""


class Verdict(Asking):
    verdict: Literal["done", "not_done", "abandon"]
    reason: Reason


class Verb(Protocol):
    def __call__(self, run: access.Run, *, by: User, reason: str = "") -> access.Run: ...


# The body may be left out.
OptionalWhy = Annotated[Why, Body()]
NO_REASON = Why()


@router.post("/{int:run_id}/cancel", response=answers(RunOut, 202, also=409), operation_id="cancel_run")
def cancel(request: HttpRequest, run_id: int, body: OptionalWhy = NO_REASON) -> Status[RunOut]:
    return _ask(request, run_id, actions.cancel, body.reason)


@router.post("/{int:run_id}/pause", response=answers(RunOut, 202, also=409), operation_id="pause_run")
def pause(request: HttpRequest, run_id: int, body: OptionalWhy = NO_REASON) -> Status[RunOut]:
    return _ask(request, run_id, actions.pause, body.reason)


@router.post("/{int:run_id}/resume", response=answers(RunOut, 202, also=409), operation_id="resume_run")
def resume(request: HttpRequest, run_id: int, body: OptionalWhy = NO_REASON) -> Status[RunOut]:
    return _ask(request, run_id, resume_run, body.reason)


@router.post("/{int:run_id}/resolve", response=answers(RunOut, 202, also=409), operation_id="resolve_run")
def resolve(request: HttpRequest, run_id: int, body: Verdict) -> Status[RunOut]:
    """Decide what the catalogue could not tell about a statement."""
    by = access.require(request.user, "resolve_run", f"run:{run_id}")
    run = access.run_for(request.user, run_id, "resolve_run")
    return Status(202, told(actions.resolve(run, verdict=body.verdict, by=by, reason=body.reason)))


def _ask(request: HttpRequest, run_id: int, verb: Verb, reason: str) -> Status[RunOut]:
    by = access.require(request.user, "control_run", f"run:{run_id}")
    run = access.run_for(request.user, run_id, "control_run")
    return Status(202, told(verb(run, by=by, reason=reason)))
