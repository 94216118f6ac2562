"""What it means when Lockstep's own database cannot be asked; pages and API tell it in the same words."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace

import psycopg
import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults
from psycopg_pool import PoolTimeout, TooManyRequests

from dashboard.api.envelope import error, is_api
from dashboard.pooled.patience import NoAnswer
from dashboard.pooled.results import ENDED, took_too_long
from migrations_app.health.breaker import BreakerOpen

NOTHING = "Nothing was done."
UNKNOWN = "If this was a change, look whether it was made before you send it again."
PROBE_SECONDS = 2
CODE = "X-Lockstep-Code"
QUIET = ("DB_POOL_EXHAUSTED", "CIRCUIT_BREAKER_OPEN")  # an answer that is meant, of which there may be many

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outage:
    code: str
    message: str
    not_done: str
    retry_after: int
    status: int = 503

    @property
    def sentence(self) -> str:
        return f"{self.message} {self.not_done}"


EXHAUSTED = Outage(
    "DB_POOL_EXHAUSTED",
    "Every connection of this web process to Lockstep's own database is in use.",
    NOTHING,
    settings.DB_POOL_EXHAUSTED_RETRY_AFTER_SECONDS,
)
LEFT_ALONE = Outage(
    "CIRCUIT_BREAKER_OPEN", "Lockstep's own database failed too often, so it is left alone for a while.", NOTHING, 1
)
AWAY = Outage("DB_CONNECTION_FAILED", "Lockstep's own database takes no connection.", NOTHING, 5)
LOST = Outage("DB_CONNECTION_FAILED", "The connection to Lockstep's own database was lost.", UNKNOWN, 5)
SLOW = Outage("DB_QUERY_TIMEOUT", "Lockstep's own database took too long.", NOTHING, 1, 504)
SILENT = Outage("DB_QUERY_TIMEOUT", "Lockstep's own database did not answer in time.", UNKNOWN, 1, 504)
OTHER = Outage("SERVICE_UNAVAILABLE", "Lockstep's own database could not carry this out.", NOTHING, 5)


def outage_of(failure: BaseException | None) -> Outage | None:
    """None for everything that is not the control database's doing."""
    if not isinstance(failure, OperationalError | InterfaceError):
        return None
    cause = failure.__cause__
    if isinstance(cause, BreakerOpen):
        return replace(LEFT_ALONE, retry_after=max(math.ceil(cause.seconds_left), 1))
    if isinstance(cause, PoolTimeout | TooManyRequests):
        return EXHAUSTED if _all_in_use() and _takes_connections() else AWAY
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return SLOW if took_too_long(cause) else OTHER
    if isinstance(cause, NoAnswer):
        return SILENT
    if not isinstance(cause, psycopg.OperationalError):
        return LOST
    if cause.pgconn is not None:
        return AWAY
    return LOST if cause.sqlstate is None or cause.sqlstate.startswith(ENDED) else OTHER


def told(request: HttpRequest, outage: Outage) -> HttpResponse:
    """In the API's envelope or as a page; scripts of a page go by the code in the header."""
    if is_api(request):
        answer: HttpResponse = error(
            request, outage.status, outage.sentence, code=outage.code, retry_after=outage.retry_after
        )
        answer["Cache-Control"] = "no-store"
    else:
        answer = render(request, "503.html", {"outage": outage}, status=outage.status)
        answer["Retry-After"] = str(outage.retry_after)
    answer[CODE] = outage.code
    return answer


def _all_in_use() -> bool:
    """A pool that still lacks some waited for the database, which may be back by now."""
    pool = connection.pool  # type: ignore[attr-defined]
    return pool is None or pool.get_stats()["pool_size"] >= pool.max_size


def _takes_connections() -> bool:
    """A pool gives no connection when all are in use and when the database is away; only asking tells which."""
    parameters = {**connection.get_connection_params(), "connect_timeout": PROBE_SECONDS}
    try:
        psycopg.connect(**parameters).close()
    except psycopg.Error:
        return False
    return True


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler of what no view expected, called while the exception is being handled."""
    outage = outage_of(sys.exception())
    if outage is None:
        return defaults.server_error(request)
    return told(request, outage)
