from __future__ import annotations

import psycopg
import pytest

from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.holder import lock_holder
from tests.engine.target.conftest import OpenSession


def test_a_free_lock_has_no_holder(conn: psycopg.Connection) -> None:
    assert lock_holder(conn, 7060, 1) is None


@pytest.mark.parametrize("keys", [(7060, 1), (-1, 2), (2147483647, -2147483648)])
def test_it_finds_the_session_that_holds_it(
    dsn: Dsn, conn: psycopg.Connection, session: OpenSession, keys: tuple[int, int]
) -> None:
    owner = session(dsn, "lockstep:run:0001_first")
    owner.execute("SELECT pg_advisory_lock(%s, %s)", keys)
    holder = lock_holder(conn, *keys)
    assert holder is not None
    assert (holder.pid, holder.state) == (owner.info.backend_pid, "idle")
    assert holder.application == "lockstep:run:0001_first"
    start = conn.execute("SELECT backend_start FROM pg_stat_activity WHERE pid = %s", [holder.pid])
    assert start.fetchone() == (holder.backend_start,)
    assert holder.sentence.startswith(f"pid {holder.pid} (lockstep:run:0001_first, idle since ")
    owner.execute("SELECT pg_advisory_unlock(%s, %s)", keys)
    assert lock_holder(conn, *keys) is None


def test_it_is_not_misled_by_other_locks(dsn: Dsn, conn: psycopg.Connection, session: OpenSession) -> None:
    """The one-key form with the same bits, a shared lock, other keys, and another database."""
    other = session(dsn)
    other.execute("SELECT pg_advisory_lock((7060::bigint << 32) + 1), pg_advisory_lock(7060, 2)")
    elsewhere = session(dsn.in_database("postgres"))
    elsewhere.execute("SELECT pg_advisory_lock(7060, 1)")
    assert lock_holder(conn, 7060, 1) is None


def test_it_sees_a_strangers_session_without_its_state(
    dsn: Dsn, conn: psycopg.Connection, plain_role: Dsn, session: OpenSession
) -> None:
    conn.execute("SELECT pg_advisory_lock(7060, 1)")
    holder = lock_holder(session(plain_role), 7060, 1)
    assert holder is not None
    assert (holder.pid, holder.backend_start, holder.state) == (conn.info.backend_pid, None, None)
    assert holder.sentence == f"pid {holder.pid} (lockstep:test) holds it"
