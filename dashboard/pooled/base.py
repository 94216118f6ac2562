"""A pooled connection is looked at before a request gets it, but the server is asked only where that tells something.

The server closes its end of a connection that it gives up, so one on which nothing waits to be read still stands. Only
what stands between the two, such as a firewall, ends a connection in silence, and only one that has been at rest.
"""

from __future__ import annotations

import select
from time import monotonic
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.utils.functional import cached_property
from psycopg_pool import ConnectionPool

from dashboard.pooled.results import Result, Watched

RESTED_S = 20.0
CHECK_S = 2.0  # this question is answered at once or never

Connection = psycopg.Connection[Any]


class DatabaseWrapper(base.DatabaseWrapper):
    @cached_property
    def result(self) -> Result:
        return Result()

    @cached_property
    def wrap_database_errors(self) -> Watched:
        return Watched(self, self.result)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        """Nobody is let near the pool while the circuit breaker is open."""
        self.result.begin()
        connection: Connection = super().get_new_connection(conn_params)
        while self.pool and not stands(connection):
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        connection.lockstep_given_at = monotonic()  # type: ignore[attr-defined]
        return connection

    def _close(self) -> None:
        super()._close()  # type: ignore[misc]
        self.result.succeeded()

    def _set_autocommit(self, autocommit: bool) -> None:
        if self.connection.autocommit != autocommit:
            super()._set_autocommit(autocommit)  # type: ignore[misc]


def stands(connection: Connection) -> bool:
    """See above; one that was never given has been at rest as well."""
    given_at: float = getattr(connection, "lockstep_given_at", float("-inf"))
    if monotonic() - given_at < RESTED_S and not _something_to_read(connection):
        return True
    connection.patience_s = CHECK_S  # type: ignore[attr-defined]
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        return False
    finally:
        del connection.patience_s  # type: ignore[attr-defined]
    return True


def _something_to_read(connection: Connection) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
