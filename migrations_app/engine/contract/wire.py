"""SQL straight through libpq: a step is many small statements, and a cursor for each costs more than they do."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator

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
        self._name = name
        self._sql = sql
        self._ready: weakref.WeakSet[psycopg.Connection] = weakref.WeakSet()

    def send(self, conn: psycopg.Connection, *values: object) -> PGresult:
        """Execute with text parameters ($1, $2 …); None is NULL, bytes are text already. Raises psycopg.Error."""
        self._prepare(conn)
        parameters = [_text(value) for value in values]
        return _checked(conn.pgconn.exec_prepared(self._name.encode(), parameters))  # type: ignore[arg-type]

    def send_and_commit(self, conn: psycopg.Connection, *values: object) -> PGresult:
        """The same in one message with the COMMIT, so that locks are held for one round trip less."""
        *_, inserted, _ = send_all(conn, self.call(conn, *values) + b"; COMMIT")
        return inserted

    def call(self, conn: psycopg.Connection, *values: object) -> bytes:
        """The same as text, to be sent together with other statements."""
        self._prepare(conn)
        literal = Escaping(conn.pgconn).escape_literal
        arguments = b", ".join(b"NULL" if value is None else literal(_text(value)) for value in values)  # type: ignore[arg-type]
        return b"EXECUTE %s (%s)" % (self._name.encode(), arguments)

    def _prepare(self, conn: psycopg.Connection) -> None:
        if conn not in self._ready:
            prepare_all(conn, (self,))


def prepare_all(conn: psycopg.Connection, statements: Iterable[Prepared]) -> None:
    """In this session, in one message. Raises psycopg.Error."""
    missing = [statement for statement in statements if conn not in statement._ready]
    send(conn, "; ".join(f"PREPARE {statement._name} AS {statement._sql}" for statement in missing))
    for statement in missing:
        statement._ready.add(conn)


def reads_as_parsed(conn: psycopg.Connection) -> bool:
    """Whether the session still reads a text as the splitter did; the server tells such changes unasked."""
    told = conn.pgconn.parameter_status
    return (told(b"standard_conforming_strings"), told(b"client_encoding")) == (b"on", b"UTF8")


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
