from __future__ import annotations

import pytest

from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.script import read_verify
from tests.engine.sql.reading import refused, shape


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE lockstep (id int)",
        "CREATE TABLE app.lockstep (lockstep int PRIMARY KEY)",
        "CREATE TABLE t (lockstep int, b int, PRIMARY KEY (lockstep, b))",
        "SELECT lockstep.id FROM app.lockstep",
        "SELECT l.lockstep FROM t l",
        "INSERT INTO t VALUES ('lockstep', 'DROP SCHEMA lockstep', 'lockstep.step')",
        "COMMENT ON TABLE t IS 'see lockstep.applied'",
        "CREATE ROLE lockstep",
        "GRANT SELECT ON t TO lockstep, other",
        "CREATE TABLE lockstep_x.t (id int)",
        "DO $$ BEGIN RAISE NOTICE 'lockstep rules'; END $$",
    ],
)
def test_the_word_alone_is_harmless(sql: str) -> None:
    assert len(shape(sql)) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE SCHEMA lockstep",
        "CREATE SCHEMA IF NOT EXISTS lockstep AUTHORIZATION app",
        "DROP SCHEMA lockstep",
        "DROP SCHEMA a, lockstep CASCADE",
        "ALTER SCHEMA lockstep RENAME TO x",
        "ALTER SCHEMA x RENAME TO lockstep",
        "ALTER SCHEMA lockstep OWNER TO x",
        "COMMENT ON SCHEMA lockstep IS 'x'",
        "GRANT USAGE ON SCHEMA lockstep TO x",
        "GRANT SELECT ON ALL TABLES IN SCHEMA lockstep TO x",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA lockstep GRANT SELECT ON TABLES TO x",
        "CREATE EXTENSION hstore SCHEMA lockstep",
        "ALTER EXTENSION hstore SET SCHEMA lockstep",
        "CREATE TABLE lockstep.t (id int)",
        "CREATE TABLE t (id int REFERENCES lockstep.lock)",
        "CREATE TABLE t (LIKE lockstep.lock)",
        "CREATE TABLE t (a lockstep.kind)",
        "ALTER TABLE lockstep.step ADD COLUMN x int",
        "ALTER TABLE t SET SCHEMA lockstep",
        "DROP TABLE t, lockstep.step",
        "DROP FUNCTION lockstep.f(int)",
        "DROP TRIGGER x ON lockstep.step",
        "CREATE INDEX i ON lockstep.step (id)",
        "CREATE FUNCTION lockstep.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER x BEFORE INSERT ON t EXECUTE FUNCTION lockstep.f()",
        "CREATE TYPE lockstep.kind AS ENUM ('a')",
        "CREATE VIEW v AS SELECT * FROM lockstep.applied",
        "INSERT INTO lockstep.migration_history VALUES (1)",
        "UPDATE lockstep.lock SET fence = 0",
        "DELETE FROM Lockstep.Lock",
        'TRUNCATE "lockstep".step',
        "SELECT lockstep.f()",
        "WITH x AS (DELETE FROM lockstep.step RETURNING 1) SELECT 1",
        'DELETE FROM U&"\\006cockstep".step',
        "CREATE PUBLICATION p FOR TABLES IN SCHEMA lockstep",
        "DO $$ BEGIN DELETE FROM lockstep.step; END $$",
        'DO $$ BEGIN EXECUTE \'DELETE FROM "lockstep" . "step"\'; END $$',
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'TRUNCATE lockstep.step'",
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM lockstep.step; END",
        "IMPORT FOREIGN SCHEMA x FROM SERVER y INTO lockstep",
    ],
)
def test_the_schema_of_the_receipts_is_out_of_reach(sql: str) -> None:
    error = refused(f"SELECT 1;\n{sql};")
    assert error.code == "reserved_schema"
    assert error.message.startswith("Line 2: ")


def test_a_verify_file_may_not_touch_it_either() -> None:
    with pytest.raises(Refused, match="Line 1: the schema lockstep"):
        read_verify("DELETE FROM lockstep.step")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_advisory_unlock_all()",
        "SELECT 1 FROM t WHERE Pg_Catalog.pg_advisory_unlock_all() IS NULL",
        "INSERT INTO t SELECT pg_advisory_unlock_all()",
    ],
)
def test_the_targets_lock_is_not_given_away(sql: str) -> None:
    assert refused(sql).code == "lock_refused"


@pytest.mark.parametrize("sql", ["SELECT pg_advisory_unlock(7)", "SELECT 'pg_advisory_unlock_all()'"])
def test_other_locks_are_the_revisions_own(sql: str) -> None:
    assert len(shape(sql)) == 1
