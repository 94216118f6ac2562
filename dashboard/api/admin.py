"""`admin_api`: what administrators and their scripts ask about the web processes, below /admin/api/."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja.errors import ValidationError

from dashboard.api import failures, web_processes
from dashboard.api.body import StrictParser
from dashboard.api.edge import EdgeApi, known_query_only, signed_in_only
from dashboard.api.envelope import error
from dashboard.api.identity import WAYS
from migrations_app import __version__
from migrations_app.health.restarts import RestartFailed

admin_api = EdgeApi(
    title="Lockstep, its own processes",
    version=__version__,
    urls_namespace="admin-api",
    docs_url=None,
    docs_decorator=signed_in_only,
    auth=WAYS,
    parser=StrictParser(),
)
failures.register(admin_api)
admin_api.add_decorator(known_query_only)
admin_api.add_router("/worker", web_processes.router)


def _invalid(request: HttpRequest, problem: ValidationError) -> HttpResponse:
    """400 here, as was agreed with those who built clients for it."""
    told = failures.invalid(request, problem)
    if told.status_code == 422:
        told.status_code = 400
    return told


def _failed(request: HttpRequest, failure: RestartFailed) -> HttpResponse:
    return error(request, 500, failure.sentence, code=failure.code)


_HANDLERS: tuple[tuple[type[Exception], Any], ...] = ((ValidationError, _invalid), (RestartFailed, _failed))
for kind, handler in _HANDLERS:
    admin_api.add_exception_handler(kind, handler)
