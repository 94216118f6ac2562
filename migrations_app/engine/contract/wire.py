"""SQL straight through libpq: a step is many small statements, and a cursor for each costs more than they do."""

from __future__ import annotations

import weakref

import psycopg
from psycopg import generators
from psycopg.errors import error_from_result
from psycopg.pq import Escaping, ExecStatus
from psycopg.pq.abc import PGresult

_GOOD = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY})


def send(conn: psycopg.Connection, sql: str) -> PGresult:
    """Execute one string, which may hold several statements; the last one's result. Raises psycopg.Error.

    Blocks in libpq with the interpreter's lock released, so other threads can cancel it.
    """
    return _checked(conn.pgconn.exec_(sql.encode()))


class Prepared:
    """A statement of ours that is run for every revision: planned once for each session."""

    def __init__(self, name: str, sql: str) -> None:
        self._name = name.encode()
        self._sql = sql.encode()
        self._ready: weakref.WeakSet[psycopg.Connection] = weakref.WeakSet()

    def send(self, conn: psycopg.Connection, *values: object) -> PGresult:
        """Execute with text parameters ($1, $2 …); None is NULL, bytes are text already. Raises psycopg.Error."""
        self._prepare(conn)
        parameters = [_text(value) for value in values]
        return _checked(conn.pgconn.exec_prepared(self._name, parameters))  # type: ignore[arg-type]

    def send_and_commit(self, conn: psycopg.Connection, *values: object) -> PGresult:
        """The same in one message with the COMMIT, so that locks are held for one round trip less.

        PostgreSQL leaves the COMMIT out when the statement fails.
        """
        self._prepare(conn)
        literal = Escaping(conn.pgconn).escape_literal
        arguments = b", ".join(b"NULL" if value is None else literal(_text(value)) for value in values)  # type: ignore[arg-type]
        conn.pgconn.send_query(b"EXECUTE %s (%s); COMMIT" % (self._name, arguments))
        results = [_checked(result) for result in conn.wait(generators.execute(conn.pgconn))]
        return results[0]

    def _prepare(self, conn: psycopg.Connection) -> None:
        if conn not in self._ready:
            _checked(conn.pgconn.prepare(self._name, self._sql))
            self._ready.add(conn)


def _text(value: object) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else str(value).encode()


def _checked(result: PGresult) -> PGresult:
    if result.status in _GOOD:
        return result
    if result.status == ExecStatus.FATAL_ERROR:
        raise error_from_result(result)
    raise psycopg.ProgrammingError(
        f"a revision cannot exchange data with its client ({ExecStatus(result.status).name})"
    )
