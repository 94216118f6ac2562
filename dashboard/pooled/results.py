"""What becomes of a connection that a request was given is a result for the circuit breaker: one for each.

A request whose statement the database refused has heard of it, so that is no failure of the database.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import psycopg
import structlog
from django.db import OperationalError
from django.db.utils import DatabaseErrorWrapper
from psycopg_pool import PoolTimeout, TooManyRequests

from dashboard.pooled.patience import NoAnswer
from migrations_app.health.breaker import BreakerOpen, Pass, breaker

# Class 08 and 57P: the connection, or the server behind it, ended.
ENDED = ("08", "57P")


logger = structlog.get_logger(__name__)


class Result:
    """Of one connection, from before it is asked for until it is handed back."""

    def __init__(self) -> None:
        self._given: Pass | None = None

    def begin(self) -> None:
        """Raises OperationalError, from BreakerOpen, before anything is asked."""
        try:
            self._given = breaker().enter()
        except BreakerOpen as refusal:
            raise OperationalError(str(refusal)) from refusal

    def failed(self) -> None:
        given, self._given = self._given, None
        if given is not None and breaker().failed(given):
            logger.error("breaker.open", until=breaker().state().open_until)

    def succeeded(self) -> None:
        given, self._given = self._given, None
        if given is not None and breaker().succeeded(given):
            logger.info("breaker.closed")


class Watched(DatabaseErrorWrapper):
    """Every error of the database passes here."""

    def __init__(self, wrapper: Any, result: Result) -> None:  # noqa: ANN401  as it is there
        super().__init__(wrapper)
        self._result = result

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if is_failure(error):
            self._result.failed()
        super().__exit__(kind, error, trace)


def is_failure(error: BaseException | None) -> bool:
    """No connection, no answer, or one that took too long."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return took_too_long(error)
    if not isinstance(error, psycopg.OperationalError):
        return False
    if isinstance(error, PoolTimeout | TooManyRequests | NoAnswer) or error.sqlstate is None:
        return True
    return error.sqlstate.startswith(ENDED)


def took_too_long(error: psycopg.errors.QueryCanceled) -> bool:
    """The server has one code for its own limit and for somebody who cancelled; only its words differ."""
    return "user request" not in str(error)
