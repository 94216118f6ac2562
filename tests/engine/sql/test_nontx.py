"""Which statements run outside a transaction, compared with what PostgreSQL refuses inside one."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from psycopg import errors

from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.script import Postcondition, read_script, read_verify
from tests.engine.sql.reading import only, shape

WORLD = """
CREATE TABLE t (id int PRIMARY KEY, a int);
CREATE INDEX t_a ON t (a);
CREATE TABLE p (id int) PARTITION BY LIST (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE MATERIALIZED VIEW mv AS SELECT 1 AS id;
CREATE UNIQUE INDEX mv_id ON mv (id);
CREATE TYPE mood AS ENUM ('a');
CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere' PUBLICATION one WITH (connect = false);
"""
STATEMENTS = """
CREATE INDEX CONCURRENTLY i ON t (a)
CREATE INDEX i ON t (a)
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)
DROP INDEX CONCURRENTLY t_a
DROP INDEX t_a
REINDEX TABLE CONCURRENTLY t
REINDEX (CONCURRENTLY) INDEX t_a
REINDEX (CONCURRENTLY false) TABLE t
REINDEX (VERBOSE, CONCURRENTLY on) TABLE t
REINDEX TABLE t
REINDEX INDEX t_a
REINDEX SCHEMA public
REINDEX DATABASE
REINDEX SYSTEM
VACUUM t
VACUUM (FULL, ANALYZE) t
VACUUM
ANALYZE t
ANALYZE
CLUSTER
CLUSTER t USING t_a
ALTER TABLE p DETACH PARTITION p1
ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY
CREATE DATABASE other
DROP DATABASE IF EXISTS other
ALTER DATABASE postgres SET TABLESPACE pg_default
ALTER DATABASE postgres CONNECTION LIMIT 10
ALTER DATABASE postgres SET work_mem = '4MB'
CREATE TABLESPACE ts LOCATION '/nowhere'
DROP TABLESPACE IF EXISTS ts
DROP SUBSCRIPTION IF EXISTS nobody
DROP SUBSCRIPTION sub
ALTER SUBSCRIPTION sub REFRESH PUBLICATION
ALTER SUBSCRIPTION sub SET PUBLICATION two
ALTER SUBSCRIPTION sub SET PUBLICATION two WITH (refresh = false)
ALTER SUBSCRIPTION sub ADD PUBLICATION two WITH (refresh = false)
ALTER SUBSCRIPTION sub CONNECTION 'dbname=elsewhere'
ALTER TYPE mood ADD VALUE 'b'
REFRESH MATERIALIZED VIEW CONCURRENTLY mv
CHECKPOINT
CREATE EXTENSION IF NOT EXISTS plpgsql
""".strip().splitlines()
# PostgreSQL looks first whether there is a subscription and whether it is enabled; the text can't tell.
DEPENDS = {
    "DROP SUBSCRIPTION IF EXISTS nobody",
    "ALTER SUBSCRIPTION sub REFRESH PUBLICATION",
    "ALTER SUBSCRIPTION sub SET PUBLICATION two",
}


@pytest.mark.parametrize("major", [16, 18])
def test_it_agrees_with_postgresql(target_database: Callable[..., str], major: int) -> None:
    with psycopg.connect(target_database(major=major), autocommit=True) as connection:
        connection.add_notice_handler(lambda _: None)
        connection.execute(WORLD)
        wrong = [sql for sql in STATEMENTS if (only(sql).mode == "nontx") != _refused_inside(connection, sql)]
        connection.execute("ALTER SUBSCRIPTION sub SET (slot_name = NONE)")
        connection.execute("DROP SUBSCRIPTION sub")
    assert set(wrong) == DEPENDS


def _refused_inside(connection: psycopg.Connection, sql: str) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql)
    except errors.ActiveSqlTransaction:
        return True
    except (errors.InvalidObjectDefinition, errors.ObjectNotInPrerequisiteState, errors.UndefinedObject):
        return False
    return False


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            'CREATE INDEX CONCURRENTLY "I" ON "App".orders (a)',
            Postcondition("index_valid", schema="App", name="I", table='"App".orders'),
        ),
        ("CREATE INDEX CONCURRENTLY i ON ONLY t (a)", Postcondition("index_valid", name="i", table="t")),
        ("DROP INDEX CONCURRENTLY IF EXISTS app.i", Postcondition("index_gone", schema="app", name="i")),
        ("DROP INDEX CONCURRENTLY i", Postcondition("index_gone", name="i")),
        (
            "ALTER TABLE app.p DETACH PARTITION old.p1 CONCURRENTLY",
            Postcondition("partition_detached", schema="old", name="p1", table="app.p"),
        ),
        ("VACUUM", Postcondition("rerun")),
        ("CLUSTER", Postcondition("rerun")),
        ("REINDEX TABLE CONCURRENTLY app.t", Postcondition("rerun", schema="app", table="app.t")),
        ("REINDEX INDEX CONCURRENTLY i", Postcondition("rerun", name="i")),
        ("REINDEX DATABASE d", Postcondition("rerun")),
        ("CREATE DATABASE d", Postcondition("exists", name="d", object_type="database")),
        ("DROP DATABASE d", Postcondition("gone", name="d", object_type="database")),
        ("CREATE TABLESPACE s LOCATION '/x'", Postcondition("exists", name="s", object_type="tablespace")),
        ("DROP TABLESPACE s", Postcondition("gone", name="s", object_type="tablespace")),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
            Postcondition("exists", name="s", object_type="subscription"),
        ),
        ("DROP SUBSCRIPTION s", Postcondition("gone", name="s", object_type="subscription")),
        ("ALTER SUBSCRIPTION s ADD PUBLICATION p", Postcondition("unknown")),
    ],
)
def test_it_says_how_the_catalogue_tells(sql: str, expected: Postcondition) -> None:
    statement = only(sql)
    assert statement.postcondition == expected
    assert statement.mode == "nontx"
    assert statement.concurrent_index is sql.startswith("CREATE INDEX")


def test_a_transactional_statement_has_none() -> None:
    statement = only("CREATE INDEX i ON t (a)")
    assert (statement.mode, statement.postcondition, statement.concurrent_index) == ("tx", None, False)


def test_a_verify_file_has_no_room_for_them() -> None:
    with pytest.raises(Refused, match="Line 2: VACUUM can't run inside a transaction") as caught:
        read_verify("SELECT true;\nVACUUM t;")
    assert caught.value.code == "nontx_in_verify"


def test_one_in_a_body_is_not_seen() -> None:
    assert shape("DO $$ BEGIN EXECUTE 'VACUUM'; END $$") == [["DO"]]
    assert read_script("DO $$ BEGIN EXECUTE 'VACUUM'; END $$").steps[0].mode == "tx"
