"""Prove that two sessions are two backends: behind a pooler, locks and settings belong to nobody."""

from __future__ import annotations

import secrets
from contextlib import closing

import psycopg

from migrations_app.engine.errors import Refused
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn

# A busy pooler can hand out the right backend by luck; not this often in a row.
ROUNDS = 3
READ = "current_setting('lockstep.probe', true)"


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
    """The probe itself, on two open sessions outside a transaction; leaves no trace in what it lets pass."""
    mark = secrets.token_hex(8)
    own, _ = _look(first, "set_config('lockstep.probe', %s, false)", mark)
    for _ in range(ROUNDS):
        evidence = _shared_backend(first, second, own, mark)
        if evidence:
            raise Refused(
                "behind_pooler",
                f"The target is reached through a connection pooler: {evidence}.",
                not_done="Nothing was changed in the target.",
                next_step="Use the server's own address; a run needs one session that stays its own.",
            )
    first.execute("RESET lockstep.probe")


def _shared_backend(first: psycopg.Connection, second: psycopg.Connection, own: int, mark: str) -> str:
    """Evidence that the first session lost its process or its setting to the second one's transaction; or nothing."""
    with second.transaction(force_rollback=True):
        if _look(second, READ)[0] == own:
            return "two sessions got the same server process"
        pid, kept = _look(first, READ)
    if pid != own:
        return "a session's server process changed while another one was busy"
    return "" if kept == mark else "a session's setting was lost"


def _look(conn: psycopg.Connection, setting: str, *given: str) -> tuple[int, str | None]:
    row = conn.execute(f"SELECT pg_catalog.pg_backend_pid(), pg_catalog.{setting}", given).fetchone()
    assert row is not None
    return row[0], row[1]
