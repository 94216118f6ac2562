"""/livez, /readyz, /health, /health/deep and system-status: answered while the pages cannot be.

Nothing here asks the pool, sets a cookie or looks a session up over it; what cannot be looked up is not told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from pydantic import BaseModel, TypeAdapter

from dashboard import access
from dashboard.api.envelope import error
from dashboard.health import database, looking
from dashboard.health.caller import is_listed, sees_details, user_behind
from dashboard.health.deep import deep, system_status
from dashboard.health.deep_shapes import DeepOut, SystemStatusOut
from dashboard.health.document import health
from dashboard.health.own import Away
from dashboard.health.shapes import HealthOut, StatusOut
from migrations_app.health.judging import UNHEALTHY
from migrations_app.permissions import may, roles_of

View = Callable[..., HttpResponse]
NEVER_KEPT = {"Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache", "Expires": "0"}
VERB = "view_system"
RETRY_S = 5
SHAPES: dict[str, Any] = {"health": HealthOut | StatusOut, "deep": DeepOut, "system-status": SystemStatusOut}


def open_to_all(view: View) -> View:
    """For anybody, and never kept."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = view(request, *args, **kwargs)
        for name, value in NEVER_KEPT.items():
            response[name] = value
        return response

    answered: View = login_not_required(require_safe(answer))
    return answered


@open_to_all
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is looked at."""
    return JsonResponse({"status": "alive"})


@open_to_all
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether it can take work: its database answers and has this code's tables, and the process is not stopping."""
    checks = {"database": "ok", "migrations": "ok", "process": "stopping" if _stopping() else "ok"}
    try:
        if not database.migrations_applied():
            checks["migrations"] = "pending"
    except Away:
        checks |= {"database": "error", "migrations": "unknown"}
    ready = set(checks.values()) == {"ok"}
    return JsonResponse({"status": "ready" if ready else "not_ready", "checks": checks}, status=200 if ready else 503)


@open_to_all
def health_view(request: HttpRequest) -> HttpResponse:
    """Everybody hears the status; the rest is for who is signed in, brings a token, or is listed."""
    look = looking.current()
    told = health(look)
    sees = sees_details(request) if look.database else is_listed(request)
    shown = told if sees else StatusOut(status=told.status)
    return _json(shown, 503 if told.status == UNHEALTHY else 200)


@open_to_all
def deep_view(request: HttpRequest) -> HttpResponse:
    refused = refusal(request)
    if refused is not None:
        return refused
    told = deep(looking.current())
    return _json(told, 503 if told.status == UNHEALTHY else 200)


@open_to_all
def system_status_view(request: HttpRequest) -> HttpResponse:
    return refusal(request) or _json(system_status(looking.current()), 200)


@open_to_all
def schema_view(request: HttpRequest, name: str = "health") -> HttpResponse:
    """The JSON schema of an answer."""
    return JsonResponse(TypeAdapter(SHAPES[name]).json_schema(mode="serialization"))


def refusal(request: HttpRequest, verb: str = VERB) -> HttpResponse | None:
    """In the envelope; who reads pages is sent to sign in, or told on a page."""
    reads_pages = "text/html" in request.headers.get("Accept", "")
    try:
        user = user_behind(request)
    except Away:
        told = "Who is asking cannot be looked up: Lockstep's own database does not answer."
        return error(request, 503, told, code="DB_CONNECTION_FAILED", retry_after=RETRY_S)
    if not isinstance(user, User) or not roles_of(user):
        if reads_pages:
            return redirect_to_login(request.get_full_path())
        return error(request, 401, "This takes somebody who is signed in, or an API token.")
    if may(user, verb):
        return None
    try:
        access.require(user, verb, request.path.strip("/"))
    except PermissionDenied as denied:
        if reads_pages:
            raise
        return error(request, 403, str(denied))
    raise AssertionError("may and require disagree")


def _json(told: BaseModel, status: int) -> JsonResponse:
    """What there is none of, of `errors` and `warnings`, is left out."""
    body = told.model_dump(mode="json")
    for name in ("errors", "warnings"):
        if body.get(name, ()) is None:
            del body[name]
    return JsonResponse(body, status=status)


def _stopping() -> bool:
    """As the web server's own threads know; another server has no such module."""
    urgent = sys.modules.get("dashboard.urgent")
    return bool(urgent and urgent.process.stopping)
