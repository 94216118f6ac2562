"""Connections that health has for itself, and a thread for each that uses it: nobody waits for either for long.

One is opened when it is first needed and again when it was lost. Whatever holds a lock is not waited for, so that a
table which somebody changes is not taken for a database that is away. Without a pool for pages each request has a
connection anyway, and health uses that one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from dashboard.health.line import Line, TooLong
from dashboard.pooled.patience import PatientConnection

LOOK_S = 0.4  # for the look that an answer is made of
CALLER_S = 0.1  # for whether a caller may see more than the status
CONNECT_S = 2  # the least that there is; whoever asks has long stopped waiting
LOCK_MS = 80

Connection = psycopg.Connection[Any]
T = TypeVar("T")


class Away(Exception):
    """The control database did not answer, or not in time. What its driver said is for the log alone."""


class Own:
    def __init__(self, name: str, statement_ms: int) -> None:
        self._line = Line(name)
        self._statement_ms = statement_ms
        self._connection: PatientConnection | None = None

    def ask(self, question: Callable[[Connection], T], within: float) -> T:
        """Raises Away."""
        try:
            if not settings.HEALTH_CONNECTIONS:
                connection.ensure_connection()
                return question(connection.connection)
            return self._line.within(within, lambda: self._asked(question))
        except (psycopg.Error, DatabaseError, InterfaceError, TooLong) as failure:
            raise Away(" ".join(str(failure).split())) from failure

    def close(self) -> None:
        """Hand the connection back; the next question opens another."""
        conn, self._connection = self._connection, None
        if conn is not None:
            conn.close()

    def _asked(self, question: Callable[[Connection], T]) -> T:
        """Once more where the connection turns out to have ended since it was last used."""
        kept = self._connection
        if kept is not None and not kept.closed:
            try:
                return question(kept)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                if not kept.closed:
                    raise
        self._connection = None
        self._connection = PatientConnection.connect(**self._parameters())
        self._connection.patience_s = self._statement_ms / 1000 + 0.5
        return question(self._connection)

    def _parameters(self) -> dict[str, Any]:
        """Where the pages' connections lead, without what Django makes of them."""
        given: dict[str, Any] = connection.get_connection_params()
        for name in ("cursor_factory", "context", "server_side_binding"):
            given.pop(name, None)
        return {
            **given,
            "autocommit": True,
            "prepare_threshold": None,
            "application_name": "lockstep-health",
            "connect_timeout": CONNECT_S,
            "options": f"-c statement_timeout={self._statement_ms} -c lock_timeout={LOCK_MS} -c timezone=UTC",
        }


LOOKS = Own("health-looks", 500)
BEATS = Own("health-beats", 5000)  # what is written and counted beside the requests
