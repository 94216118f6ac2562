"""A few connections of the boot gate's own, opened when it is first asked: after the fork, and never by a worker.

Without a pool for pages each request has a connection anyway, and the gate uses that one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Any

import psycopg
from django.conf import settings
from django.db import Error, connection
from psycopg_pool import ConnectionPool

from dashboard.pooled.base import stands
from dashboard.pooled.patience import PatientConnection
from migrations_app.prepared import one_row

WAIT_S = 1.0  # for one of its connections
STATEMENT_S = 2  # a gate that cannot look says so soon

# What it raises when its database cannot be asked, or does not answer what it was asked.
AWAY = (psycopg.Error, Error)


class _Impatient(PatientConnection):
    patience_s = STATEMENT_S + 0.5


class _Kept:
    def __init__(self) -> None:
        self.lock = Lock()
        self.pool: ConnectionPool[_Impatient] | None = None


_kept = _Kept()


def ask(statement: str, given: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """One row. Raises what AWAY names."""
    if not settings.BOOT_GATE_POOL:
        return one_row(statement, given)
    with _given() as conn:
        row: tuple[Any, ...] | None = conn.execute(statement, given, prepare=True).fetchone()
    return row


def tell(statement: str, given: Mapping[str, Any]) -> None:
    """A change of its own. Raises what AWAY names."""
    if not settings.BOOT_GATE_POOL:
        with connection.cursor() as cursor:
            cursor.execute(statement, given)
        return
    with _given() as conn:
        conn.execute(statement, given, prepare=True)


def close() -> None:
    """Hand its connections back; the next question opens others."""
    with _kept.lock:
        pool, _kept.pool = _kept.pool, None
    if pool is not None:
        pool.close()


@contextmanager
def _given() -> Iterator[_Impatient]:
    with _pool().connection(timeout=WAIT_S) as conn:
        conn.lockstep_given_at = monotonic()  # type: ignore[attr-defined]
        yield conn


def _pool() -> ConnectionPool[_Impatient]:
    with _kept.lock:
        if _kept.pool is None:
            _kept.pool = ConnectionPool(
                min_size=1,
                max_size=settings.BOOT_GATE_POOL,
                kwargs=_parameters(),
                connection_class=_Impatient,
                check=_check,
                reconnect_timeout=1.0,
                name="boot-gate",
                open=True,
            )
        return _kept.pool


def _parameters() -> dict[str, Any]:
    """Where the pages' connections lead, without what Django makes of them."""
    given: dict[str, Any] = connection.get_connection_params()
    for own in ("cursor_factory", "context", "server_side_binding"):
        given.pop(own, None)
    # Planning takes several times as long as looking: once for a connection is enough.
    limit = f"-c statement_timeout={STATEMENT_S}s -c plan_cache_mode=force_generic_plan"
    return {**given, "autocommit": True, "application_name": "lockstep-boot-gate", "options": limit}


def _check(conn: _Impatient) -> None:
    if not stands(conn):
        raise psycopg.OperationalError("the connection has ended")
