"""Prove that two sessions are two backends: behind a pooler, locks and settings belong to nobody."""

from __future__ import annotations

import secrets
from contextlib import closing

import psycopg

from migrations_app.engine.errors import Refused
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn

# A busy pooler can hand out the right backend by luck; not this often in a row.
ROUNDS = 5


def open_direct(dsn: Dsn, *, application_name: str) -> psycopg.Connection:
    """The run's own session, proven to be one with a second that is closed again."""
    conn = open_session(dsn, application_name=application_name)
    try:
        with closing(open_session(dsn, application_name="lockstep:probe")) as second:
            refuse_shared_backend(conn, second)
    except BaseException:
        conn.close()
        raise
    return conn


def refuse_pooler(dsn: Dsn) -> None:
    """Open two sessions on the target and refuse it if they share or change their backend."""
    with (
        closing(open_session(dsn, application_name="lockstep:probe")) as first,
        closing(open_session(dsn, application_name="lockstep:probe")) as second,
    ):
        refuse_shared_backend(first, second)


def refuse_shared_backend(first: psycopg.Connection, second: psycopg.Connection) -> None:
    """The probe itself, on two open sessions outside a transaction; leaves no trace in either."""
    for _ in range(1 if _announced(first) and _announced(second) else ROUNDS):
        evidence = _shared_backend(first, second)
        if evidence:
            raise Refused(
                "behind_pooler",
                f"The target is reached through a connection pooler: {evidence}.",
                not_done="Nothing was changed in the target.",
                next_step="Use the server's own address; a run needs one session that stays its own.",
            )


def _announced(conn: psycopg.Connection) -> bool:
    """Whether the process at work is the one that greeted: a pooler greets with a number of its own making."""
    return conn.info.backend_pid == _backend_pid(conn)


def _shared_backend(first: psycopg.Connection, second: psycopg.Connection) -> str:
    pid = _backend_pid(first)
    if pid == _backend_pid(second):
        return "two sessions got the same server process"
    with second.transaction(force_rollback=True):
        _backend_pid(second)
        if _backend_pid(first) != pid:
            return "a session's server process changed while another one was busy"
    return _shared_setting(first, second)


def _shared_setting(first: psycopg.Connection, second: psycopg.Connection) -> str:
    mark = secrets.token_hex(8)
    first.execute("SELECT pg_catalog.set_config('lockstep.probe', %s, false)", [mark])
    if _setting(second) == mark:
        return "a setting of one session was seen by another"
    if _setting(first) != mark:
        return "a session's setting was lost"
    first.execute("RESET lockstep.probe")
    return ""


def _backend_pid(conn: psycopg.Connection) -> int:
    row = conn.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    assert row is not None and isinstance(row[0], int)
    return row[0]


def _setting(conn: psycopg.Connection) -> object:
    row = conn.execute("SELECT pg_catalog.current_setting('lockstep.probe', true)").fetchone()
    assert row is not None
    return row[0]
