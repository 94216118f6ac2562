"""What the tracer tells beside the locks, and what it refuses."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql

from migrations_app.engine.clone.trace import Dropped, StatementTrace, trace
from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.plan import Plan
from migrations_app.engine.errors import ConnectionLost, Refused, StatementFailed
from migrations_app.engine.target.dsn import Dsn, parse
from tests.engine.clone.tracing.conftest import Place
from tests.engine.clone.tracing.measuring import traced
from tests.engine.clone.tracing.world import ROWS, Copy
from tests.engine.contract.support import chain

LONG = 200_000  # rows to index, which take longer than the second session looks away

MakeCopy = Callable[..., Copy]


def only(copy: Copy, script: str) -> StatementTrace:
    (one,) = traced(copy, script)
    return one


def value(copy: Copy, query: str) -> object:
    with psycopg.connect(copy.url, autocommit=True) as conn:
        row = conn.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_the_statement_in_progress_can_be_cancelled(copy: MakeCopy) -> None:
    one, canceller, over = copy(), Canceller(), threading.Event()

    def ask() -> None:
        while not over.wait(0.1):
            canceller.cancel()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        with pytest.raises(StatementFailed) as caught:
            plan = Plan("up", chain("SELECT pg_sleep(600)"))
            trace(one.dsn, plan, clone=one.uid, report=print, canceller=canceller)
    finally:
        over.set()
        asking.join()
    assert caught.value.code == "sqlstate_57014"


# What it refuses


def test_it_refuses_a_database_that_is_another_copy(copy: MakeCopy) -> None:
    one = copy()
    with pytest.raises(Refused) as caught:
        trace(one.dsn, Plan("up", chain("DROP TABLE t CASCADE")), clone=uuid.uuid4(), report=print)
    assert caught.value.code == "not_a_clone"
    assert value(one, "SELECT count(*) FROM t") == ROWS


def test_it_refuses_an_original_even_under_the_right_identity(copy: MakeCopy, places: Callable[[int], Place]) -> None:
    one, admin = copy(), places(18)[0]
    admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO orders").format(sql.Identifier(one.name)))
    try:
        with pytest.raises(Refused) as caught:
            trace(one.dsn.in_database("orders"), Plan("up", chain("DROP TABLE child")), clone=one.uid, report=print)
    finally:
        admin.execute(sql.SQL("ALTER DATABASE orders RENAME TO {}").format(sql.Identifier(one.name)))
    assert caught.value.code == "not_a_clone"
    assert value(one, "SELECT count(*) FROM child") == ROWS


def test_it_refuses_when_the_superusers_way_leads_elsewhere(copy: MakeCopy) -> None:
    one, other = copy(), copy()
    with pytest.raises(Refused):
        trace(one.dsn, Plan("up", chain("DROP TABLE child")), clone=one.uid, report=print, admin=other.dsn)
    assert value(one, "SELECT count(*) FROM child") == ROWS


# What it does


def test_it_commits_each_step_and_leaves_no_receipt(copy: MakeCopy) -> None:
    one = copy()
    told: list[str] = []
    plan = Plan("up", chain("CREATE TABLE x (id int)", "CREATE INDEX CONCURRENTLY x_id ON x (id)"))
    traces = trace(one.dsn, plan, clone=one.uid, report=told.append)
    assert [(each.revision_id, each.step, each.statement) for each in traces] == [("0001_r", 1, 1), ("0002_r", 1, 1)]
    assert told == ["Measuring 0001_r", "Measuring 0002_r"]
    assert value(one, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'x_id'::regclass") is True
    assert value(one, "SELECT count(*) FROM lockstep.migration_history") == 0


def test_it_names_the_statement_that_failed_and_keeps_nothing_of_its_step(copy: MakeCopy) -> None:
    one = copy()
    with pytest.raises(StatementFailed) as caught:
        only(one, "CREATE TABLE x (id int); INSERT INTO x VALUES (1); SELECT 1 / 0")
    assert caught.value.code == "sqlstate_22012"
    assert "0001_r, step 1, statement 3 (SELECT" in caught.value.message
    assert value(one, "SELECT to_regclass('x')") is None


def test_it_finds_a_deferred_constraint_that_would_fail_at_the_commit(copy: MakeCopy) -> None:
    script = """
    CREATE TABLE late (id int, t_id int REFERENCES t DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO late VALUES (1, -1);
    """
    with pytest.raises(StatementFailed) as caught:
        traced(copy(), script)
    assert caught.value.code == "sqlstate_23503"


def test_it_tells_that_the_copy_went_away(copy: MakeCopy) -> None:
    with pytest.raises(ConnectionLost) as caught:
        only(copy(), "SELECT pg_terminate_backend(pg_backend_pid())")
    assert caught.value.code == "clone_lost"


def test_it_applies_the_settings_of_the_revision(copy: MakeCopy) -> None:
    one = copy()
    traced(one, "SET search_path = aside; CREATE TABLE here (id int)", "SET search_path = aside; VACUUM here")
    assert value(one, "SELECT 'aside.here'::regclass::text") == "aside.here"


# What it tells


def test_it_tells_only_locks_that_are_new_with_a_statement(copy: MakeCopy) -> None:
    first, second, third = traced(
        copy(),
        "BEGIN; ALTER TABLE t ADD CHECK (a > 0) NOT VALID; ALTER TABLE t ADD COLUMN z int;"
        " UPDATE child SET t_id = t_id WHERE id = 1; COMMIT",
    )
    assert first.locks == (("public.t", "ACCESS EXCLUSIVE"),)
    assert second.locks == ()
    assert third.locks == (("public.child", "ROW EXCLUSIVE"),)


def test_it_tells_no_lock_on_what_the_revision_made_itself(copy: MakeCopy) -> None:
    traces = traced(copy(), "CREATE TABLE x (id int); CREATE INDEX ON x (id); ALTER TABLE x ADD CHECK (id > 0)")
    assert [one.locks for one in traces] == [(), (), ()]


def test_it_tells_the_lock_on_what_the_revision_before_made(copy: MakeCopy) -> None:
    *_, last = traced(copy(), "CREATE TABLE x (id int)", "ALTER TABLE x ADD CHECK (id > 0)")
    assert last.locks == (("public.x", "ACCESS EXCLUSIVE"),)


def test_it_keeps_a_tables_first_name(copy: MakeCopy) -> None:
    _, second = traced(copy(), "ALTER TABLE t RENAME TO tt", "CREATE INDEX ON tt (b)")
    assert second.locks == (("public.t", "SHARE"),)
    assert second.scanned == (("public.t", ROWS),)


def test_it_sees_into_a_do_block(copy: MakeCopy) -> None:
    one = only(copy(), "DO $$ BEGIN EXECUTE 'ALTER TABLE t ADD COLUMN z float DEFAULT random()'; DROP VIEW v_t; END $$")
    assert one.locks == (("public.t", "ACCESS EXCLUSIVE"), ("public.v_t", "ACCESS EXCLUSIVE"))
    assert "public.t" in one.rewritten
    assert one.reasons == (("public.t", "default"),)
    assert one.ran == ("ALTER TABLE public.t",)
    assert Dropped("view", "public.v_t", original=True, normal=False) in one.dropped


def test_it_tells_what_a_cascade_took_along(copy: MakeCopy) -> None:
    one = only(copy(), "ALTER TABLE t DROP COLUMN id CASCADE")
    named = [each for each in one.dropped if each.original]
    along = {each.name for each in one.dropped if each.normal}
    assert named == [Dropped("table column", "public.t.id", original=True, normal=False)]
    assert {"public.v_t", "public.mv", "child_t on public.child"} <= along
    assert one.complete


def test_it_counts_rows_and_what_was_written(copy: MakeCopy) -> None:
    insert, update, delete, brief = traced(
        copy(),
        "INSERT INTO child SELECT g, 1 FROM generate_series(10001, 10100) g;"
        " UPDATE child SET t_id = 2 WHERE id > 10000; DELETE FROM child WHERE id > 10090; COMMENT ON TABLE t IS 'x'",
    )
    assert insert.rows == (("public.child", 100, 0, 0),)
    assert update.rows == (("public.child", 0, 100, 0),)
    assert delete.rows == (("public.child", 0, 0, 10),)
    assert insert.wal_bytes > 100 * 50 and insert.duration_ms > 0
    assert insert.touches_data and not brief.touches_data


def test_it_tells_an_emptied_table_from_a_rewritten_one(copy: MakeCopy) -> None:
    emptied, rewritten = traced(copy(), "TRUNCATE child", "ALTER TABLE part SET UNLOGGED")
    assert emptied.emptied == emptied.rewritten == ("public.child", "public.child_pkey")
    assert not emptied.touches_data
    assert (rewritten.rewritten, rewritten.emptied) == (("public.part",), ())
    assert rewritten.touches_data


@pytest.mark.parametrize("major", [15, 16, 18])
def test_it_sees_a_concurrent_build_from_a_second_session(major: int, copy: MakeCopy) -> None:
    one = copy(major=major)
    with psycopg.connect(one.url, autocommit=True) as conn:
        conn.execute(f"INSERT INTO part SELECT g, 2 FROM generate_series(1, {LONG}) g")
    seen = only(one, "CREATE INDEX CONCURRENTLY part_id ON part (id)")
    assert seen.sampled and seen.phases
    assert seen.locks == (("public.part", "SHARE UPDATE EXCLUSIVE"),)
    assert seen.scanned == (("public.part", 2 * (LONG + ROWS)),)


def test_it_tells_locks_that_only_the_second_session_can_see(copy: MakeCopy) -> None:
    """The text names a parent only, and its partitions are locked."""
    one = copy()
    with psycopg.connect(one.url, autocommit=True) as conn:
        conn.execute("CREATE INDEX ON pt (id)")
        conn.execute("INSERT INTO pt SELECT g, 1 FROM generate_series(1, 30000) g")
    seen = only(one, "REINDEX TABLE CONCURRENTLY pt")
    assert ("public.pt_1", "SHARE UPDATE EXCLUSIVE") in seen.locks


# As somebody who is no superuser


@pytest.fixture
def owner(places: Callable[[int], Place]) -> str:
    admin, _ = places(18)
    if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = 'app'").fetchone() is None:
        admin.execute("CREATE ROLE app LOGIN PASSWORD 'app'")
    return "app"


def owned(one: Copy, owner: str) -> Dsn:
    with psycopg.connect(one.url, autocommit=True) as conn:
        conn.execute(f"GRANT ALL ON SCHEMA public TO {owner}; GRANT USAGE ON SCHEMA lockstep TO {owner}")
        conn.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA lockstep TO {owner}")
        for name in ("t", "child", "parent", "mv", "v_t"):
            conn.execute(f"ALTER TABLE {name} OWNER TO {owner}")
    there = psycopg.conninfo.conninfo_to_dict(one.url)
    return parse(f"postgresql://{owner}:{owner}@{there['host']}:{there['port']}/{one.name}", trusted=True)


SCRIPT = "ALTER TABLE t DROP COLUMN id CASCADE"


def test_it_tells_what_is_missing_where_no_event_trigger_may_be(copy: MakeCopy, owner: str) -> None:
    one = copy()
    (seen,) = trace(owned(one, owner), Plan("up", chain(SCRIPT)), clone=one.uid, report=print)
    assert not seen.complete
    missing = {(each.kind, each.name) for each in seen.dropped}
    assert {("table column", "public.t.id"), ("relation", "public.mv"), ("relation", "public.v_t")} <= missing
    assert ("index", "public.t_pkey") in missing
    assert dict(seen.locks)["public.t"] == "ACCESS EXCLUSIVE"


def test_it_is_complete_with_a_superusers_way_in(copy: MakeCopy, owner: str) -> None:
    one = copy()
    (seen,) = trace(owned(one, owner), Plan("up", chain(SCRIPT)), clone=one.uid, report=print, admin=one.dsn)
    assert seen.complete
    assert Dropped("table column", "public.t.id", original=True, normal=False) in seen.dropped


def test_it_acts_with_the_rights_of_its_role_even_so(copy: MakeCopy, owner: str) -> None:
    one = copy()
    with pytest.raises(StatementFailed) as caught:
        trace(owned(one, owner), Plan("up", chain("DROP TABLE part")), clone=one.uid, report=print, admin=one.dsn)
    assert caught.value.code == "sqlstate_42501"
