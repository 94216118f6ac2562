"""SQL straight through libpq: a step is many small statements, and a cursor for each costs more than they do."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

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


def send_all(conn: psycopg.Connection, sql: bytes) -> Iterator[PGresult]:
    """Execute several statements in one message and give the result of each. Raises psycopg.Error.

    PostgreSQL leaves out what stands after a statement that fails, a COMMIT as well.
    """
    conn.pgconn.send_query(sql)
    yield from map(_checked, conn.wait(generators.execute(conn.pgconn)))


class Prepared:
    """A statement of ours that is run for every revision: planned once for each session."""

    def __init__(self, name: str, sql: str) -> None:
        self._name = name.encode()
        self._sql = sql.encode()
        self._ready: weakref.WeakSet[psycopg.Connection] = weakref.WeakSet()

    def send(self, conn: psycopg.Connection, *values: object) -> PGresult:
        """Execute with text parameters ($1, $2 …); None is NULL, bytes are text already. Raises psycopg.Error."""
        self.prepare(conn)
        parameters = [_text(value) for value in values]
        return _checked(conn.pgconn.exec_prepared(self._name, parameters))  # type: ignore[arg-type]

    def send_and_commit(self, conn: psycopg.Connection, *values: object) -> PGresult:
        """The same in one message with the COMMIT, so that locks are held for one round trip less."""
        inserted, _ = send_all(conn, self.call(conn, *values) + b"; COMMIT")
        return inserted

    def call(self, conn: psycopg.Connection, *values: object) -> bytes:
        """The same as text, to be sent together with other statements."""
        self.prepare(conn)
        literal = Escaping(conn.pgconn).escape_literal
        arguments = b", ".join(b"NULL" if value is None else literal(_text(value)) for value in values)  # type: ignore[arg-type]
        return b"EXECUTE %s (%s)" % (self._name, arguments)

    def prepare(self, conn: psycopg.Connection) -> None:
        """In this session, unless that is done."""
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
