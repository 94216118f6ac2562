"""What it means when Lockstep's own database cannot be asked; pages and API tell it in the same words."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import psycopg
import structlog
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults
from psycopg_pool import PoolTimeout

NOTHING = "Nothing was done."
PROBE_SECONDS = 2

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outage:
    code: str
    message: str
    not_done: str
    retry_after: int

    @property
    def sentence(self) -> str:
        return f"{self.message} {self.not_done}"


EXHAUSTED = Outage(
    "DB_POOL_EXHAUSTED", "Every connection of this web process to Lockstep's own database is in use.", NOTHING, 5
)
AWAY = Outage("DB_CONNECTION_FAILED", "Lockstep's own database takes no connection.", NOTHING, 5)
LOST = Outage(
    "DB_CONNECTION_FAILED",
    "The connection to Lockstep's own database was lost.",
    "If this was a change, look whether it was made before you send it again.",
    5,
)
SLOW = Outage("DB_QUERY_TIMEOUT", "Lockstep's own database took too long.", NOTHING, 1)
OTHER = Outage("SERVICE_UNAVAILABLE", "Lockstep's own database could not carry this out.", NOTHING, 5)


def outage_of(failure: BaseException | None) -> Outage | None:
    """None for everything that is not the control database's doing."""
    if not isinstance(failure, OperationalError | InterfaceError):
        return None
    cause = failure.__cause__
    if isinstance(cause, PoolTimeout):
        return EXHAUSTED if _all_in_use() and _takes_connections() else AWAY
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return SLOW
    if not isinstance(cause, psycopg.OperationalError):
        return LOST
    if cause.pgconn is not None:
        return AWAY
    # Class 08 and 57P: the connection, or the server behind it, ended.
    return LOST if cause.sqlstate is None or cause.sqlstate.startswith(("08", "57P")) else OTHER


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
    response = render(request, "503.html", {"outage": outage}, status=503)
    response["Retry-After"] = str(outage.retry_after)
    return response
