from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from migrations_app.engine.errors import Refused
from migrations_app.engine.target.blockers import (
    Blocker,
    cancel,
    root_blockers,
    terminate,
    waiters_behind,
    who_blocks,
)
from migrations_app.engine.target.dsn import Dsn, parse
from tests.engine.target.conftest import MakeDatabase, OpenSession
from tests.engine.target.waiting import until, waiting

ALTER = "ALTER TABLE orders ADD COLUMN note text"


@pytest.fixture
def table(conn: psycopg.Connection) -> psycopg.Connection:
    conn.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    conn.execute("INSERT INTO orders VALUES (1)")
    return conn


@contextmanager
def reader(conn: psycopg.Connection) -> Iterator[int]:
    """A transaction that has read the table and does nothing more."""
    with conn.transaction(force_rollback=True):
        conn.execute("SELECT * FROM orders")
        yield conn.info.backend_pid


def backend_start(conn: psycopg.Connection, pid: int) -> datetime:
    row = conn.execute("SELECT backend_start FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone()
    assert row is not None and isinstance(row[0], datetime)
    return row[0]


def test_nobody_blocks_a_session_that_does_not_wait(conn: psycopg.Connection) -> None:
    assert who_blocks(conn, conn.info.backend_pid) == ()
    assert root_blockers(conn, conn.info.backend_pid) == ()
    assert waiters_behind(conn, conn.info.backend_pid) == 0


@pytest.mark.parametrize("major", [16, 18])
def test_it_says_who_holds_what(target_database: MakeDatabase, session: OpenSession, major: int) -> None:
    dsn = parse(target_database(major=major), trusted=False)
    watcher = session(dsn)
    watcher.execute("CREATE TABLE orders (id int)")
    with reader(session(dsn, "psql")) as holder, waiting(session(dsn), ALTER, watcher) as waiter:
        (blocker,) = who_blocks(watcher, waiter)
        assert (blocker.pid, blocker.mode, blocker.relation) == (holder, "AccessShareLock", "orders")
        assert blocker.backend_start == backend_start(watcher, holder)
        assert (blocker.backend_type, blocker.user) == ("client backend", dsn.user)
        assert blocker.query == "SELECT * FROM orders"
        assert blocker.transaction_age_s is not None and 0 <= blocker.transaction_age_s < 60
        assert not (blocker.autovacuum or blocker.wraparound or blocker.queued)
        said = replace(blocker, query_age_s=240.5).sentence
        assert said == f"pid {holder} (psql, idle in transaction for 4 min) holds ACCESS SHARE on orders"


def test_it_shows_the_strongest_of_several_locks(dsn: Dsn, table: psycopg.Connection, session: OpenSession) -> None:
    holder = session(dsn)
    with holder.transaction(force_rollback=True):
        holder.execute("SELECT * FROM orders; LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE")
        with waiting(session(dsn), ALTER, table) as waiter:
            (blocker,) = who_blocks(table, waiter)
    assert blocker.mode == "ShareRowExclusiveLock" and "holds SHARE ROW EXCLUSIVE" in blocker.sentence


def test_it_tells_a_holder_from_one_queued_ahead(dsn: Dsn, table: psycopg.Connection, session: OpenSession) -> None:
    with (
        reader(session(dsn)) as holder,
        waiting(session(dsn), ALTER, table) as first,
        waiting(session(dsn), "SELECT * FROM orders", table) as second,
    ):
        (ahead,) = who_blocks(table, second)
        assert ahead.pid == first and ahead.queued
        assert ahead.sentence.endswith("waits ahead for ACCESS EXCLUSIVE on orders")
        assert root_blockers(table, second) == (holder,)
        assert (waiters_behind(table, holder), waiters_behind(table, first)) == (1, 1)
        assert waiters_behind(table, second) == 0


def test_it_explains_a_wait_for_a_row(dsn: Dsn, table: psycopg.Connection, session: OpenSession) -> None:
    holder = session(dsn)
    with holder.transaction(force_rollback=True):
        holder.execute("DELETE FROM orders")
        with waiting(session(dsn), "DELETE FROM orders", table) as waiter:
            (blocker,) = who_blocks(table, waiter)
    assert (blocker.mode, blocker.relation) == (None, None)
    assert blocker.sentence.endswith("has an open transaction that must end first")


def test_it_shows_what_an_ordinary_user_may_see_of_others(
    dsn: Dsn, table: psycopg.Connection, plain_role: Dsn, session: OpenSession
) -> None:
    mine = session(plain_role)
    table.execute("GRANT ALL ON orders TO PUBLIC")
    with reader(session(dsn, "secretive")), waiting(mine, "TRUNCATE orders", table) as waiter:
        (blocker,) = who_blocks(session(plain_role), waiter)
    assert blocker.query == "<insufficient privilege>"
    assert (blocker.state, blocker.backend_start, blocker.transaction_age_s) == (None, None, None)
    assert blocker.sentence == f"pid {blocker.pid} (secretive) holds ACCESS SHARE on orders"
    assert not blocker.autovacuum


def test_it_ends_exactly_the_session_that_was_meant(dsn: Dsn, table: psycopg.Connection, session: OpenSession) -> None:
    victim = session(dsn)
    pid = victim.info.backend_pid
    start = backend_start(table, pid)
    assert not terminate(table, pid, start - timedelta(microseconds=1))
    assert not terminate(table, pid, None)
    assert victim.execute("SELECT 1").fetchone() == (1,)
    assert terminate(table, pid, start)
    until(lambda: not terminate(table, pid, start))
    with pytest.raises(psycopg.OperationalError):
        victim.execute("SELECT 1")


def test_it_cancels_exactly_the_statement_that_was_meant(
    dsn: Dsn, table: psycopg.Connection, session: OpenSession
) -> None:
    with reader(session(dsn)), waiting(session(dsn), ALTER, table) as waiter:
        start = backend_start(table, waiter)
        assert not cancel(table, waiter, start - timedelta(seconds=1))
        assert cancel(table, waiter, start)
        until(lambda: waiters_behind(table, waiter) == 0 and who_blocks(table, waiter) == ())


def test_it_names_the_missing_right_to_end_somebody_elses_session(
    dsn: Dsn, table: psycopg.Connection, plain_role: Dsn, session: OpenSession
) -> None:
    owner = session(dsn)
    start = backend_start(table, owner.info.backend_pid)
    table.execute(sql.SQL("GRANT pg_read_all_stats TO {}").format(sql.Identifier(plain_role.user)))
    with pytest.raises(Refused) as caught:
        terminate(session(plain_role), owner.info.backend_pid, start)
    assert caught.value.code == "missing_rights"
    assert owner.execute("SELECT 1").fetchone() == (1,)


AUTOVACUUM = Blocker(
    pid=4711,
    backend_start=datetime(2026, 1, 1, tzinfo=UTC),
    backend_type="autovacuum worker",
    user=None,
    application="",
    state="active",
    transaction_age_s=1.0,
    query_age_s=7300.0,
    query="autovacuum: VACUUM public.orders (to prevent wraparound)",
    mode="ShareUpdateExclusiveLock",
    relation="orders",
    queued=False,
    autovacuum=True,
    wraparound=False,
)


def test_it_speaks_of_autovacuum_by_name() -> None:
    holds = "holds SHARE UPDATE EXCLUSIVE on orders"
    assert AUTOVACUUM.sentence == f"pid 4711 (autovacuum, active for 2 h) {holds}"
    wraparound = replace(AUTOVACUUM, wraparound=True, query_age_s=90000.0)
    assert wraparound.sentence == f"pid 4711 (autovacuum to prevent wraparound, active for 1 d) {holds}"


def test_it_speaks_of_a_prepared_transaction() -> None:
    prepared = replace(AUTOVACUUM, pid=0, mode=None, relation=None, autovacuum=False)
    assert prepared.sentence == (
        "a prepared transaction (see pg_prepared_xacts) has an open transaction that must end first"
    )


def test_it_speaks_of_a_session_it_knows_nothing_about() -> None:
    unknown = replace(AUTOVACUUM, state=None, backend_type=None, application=None, autovacuum=False)
    assert unknown.sentence == "pid 4711 holds SHARE UPDATE EXCLUSIVE on orders"
