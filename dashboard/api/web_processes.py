"""The web processes: how restarts of them stand, and asking for one. "Worker" in these addresses is gunicorn's."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Body, Router
from pydantic import Field

from dashboard import access
from dashboard.api.envelope import error
from dashboard.api.shapes import Asking, Telling, answers
from dashboard.restarting import ask, refusal_words, restart_told, status_told
from migrations_app.health.restarts import Override

router = Router(tags=["web processes"])


class RestartIn(Asking):
    """An override counts with both marks and a reason."""

    manual_override: bool = False
    override_acknowledged: bool = False
    override_reason: Annotated[str, Field(max_length=500)] = ""


class MetaOut(Telling):
    timestamp: str


class ToldOut(Telling):
    """docs/watchdog.md names the fields of `data`."""

    success: bool
    data: dict[str, object]
    meta: MetaOut


OptionalRestart = Annotated[RestartIn, Body()]
NO_OVERRIDE = RestartIn()
CODES = {400: "RESTART_OVERRIDE_REASON_REQUIRED", 409: "RESTART_POLICY_BLOCKED", 429: "TOO_MANY_REQUESTS"}


@router.get("/status", response=answers(ToldOut), operation_id="get_web_process_status")
def get_status(request: HttpRequest) -> ToldOut:
    access.require(request.user, "view_system", "web")
    return _told(status_told())


@router.post("/restart", response=answers(ToldOut, also=409), operation_id="restart_web_processes")
def post_restart(request: HttpRequest, body: OptionalRestart = NO_OVERRIDE) -> ToldOut | HttpResponse:
    """Have gunicorn replace its processes while the port stays open; the watchdog does it within seconds."""
    by = access.require(request.user, "restart_web", "web")
    answer = ask(request, by, Override(body.manual_override, body.override_acknowledged, body.override_reason))
    decision = answer.decision
    if decision.allowed:
        return _told(restart_told(answer, by))
    words = refusal_words(answer)
    return error(request, decision.status, words, code=CODES[decision.status], retry_after=decision.retry_after)


def _told(data: dict[str, object]) -> ToldOut:
    return ToldOut(success=True, data=data, meta=MetaOut(timestamp=timezone.now().isoformat()))
