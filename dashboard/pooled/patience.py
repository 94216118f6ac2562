"""A web process waits for an answer of its database so long and no longer.

The server's own statement_timeout ends nothing while the server is stopped, or where a network swallows what is sent.
"""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

STATEMENT_S = 15  # the server's limit, which comes first wherever it is alive
ANSWER_S = STATEMENT_S + 2.0

T = TypeVar("T")


class NoAnswer(psycopg.OperationalError):
    """There was none in time. Whether the statement is carried out is not known."""


class PatientConnection(psycopg.Connection[Any]):
    """`patience_s` may be lowered for a question that is answered at once or never."""

    patience_s = ANSWER_S

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Raise NoAnswer when there is none; one may still come, so the connection is closed."""
        try:
            return super().wait(gen, interval, self.patience_s if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.pgconn.finish()
            raise NoAnswer("the database did not answer in time") from error
