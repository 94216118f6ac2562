from __future__ import annotations

import pytest

from migrations_app.engine.sql.script import read_script
from tests.engine.sql.reading import refused, shape


def classes(sql: str) -> list[str]:
    return [step.timeout_class for step in read_script(sql).steps]


@pytest.mark.parametrize("sql", ["", "  \n", "-- nothing yet\n", "/* later */", "\ufeff", ";"])
def test_a_file_without_statements_has_no_steps(sql: str) -> None:
    assert read_script(sql).steps == ()


def test_everything_about_a_new_table_is_one_step() -> None:
    sql = """
        CREATE TABLE t (id int PRIMARY KEY, other int);
        ALTER TABLE t ADD COLUMN a int;
        ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;
        ALTER TABLE t VALIDATE CONSTRAINT c;
        CREATE INDEX ON t (a);
        INSERT INTO t VALUES (1, 2, 3);
        TRUNCATE t;
        DROP TABLE t
    """
    assert len(read_script(sql).steps) == 1


def test_access_exclusive_on_an_existing_table_stands_alone() -> None:
    sql = """
        CREATE TABLE a (id int); ALTER TABLE old ADD COLUMN x int; CREATE TABLE b (id int);
        CREATE TRIGGER tr BEFORE INSERT ON old EXECUTE FUNCTION f(); DROP TABLE older; SELECT 1
    """
    assert shape(sql) == [
        ["CREATE TABLE"],
        ["ALTER TABLE"],
        ["CREATE TABLE", "CREATE TRIGGER"],
        ["DROP TABLE"],
        ["SELECT"],
    ]


def test_atomic_keeps_them_together() -> None:
    sql = "-- lockstep:atomic\nALTER TABLE a ADD x int; ALTER TABLE b ADD x int; UPDATE a SET x = 1;"
    assert shape(sql) == [["ALTER TABLE", "ALTER TABLE", "UPDATE"]]
    assert classes(sql) == ["brief"]


def test_not_valid_and_validate_are_apart() -> None:
    sql = """
        ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES parent NOT VALID;
        CREATE TABLE x (id int);
        ALTER TABLE t VALIDATE CONSTRAINT fk;
        CREATE TABLE y (id int);
    """
    assert shape(sql) == [["ALTER TABLE", "CREATE TABLE"], ["ALTER TABLE"], ["CREATE TABLE"]]
    assert classes(sql) == ["brief", "validate", "brief"]


def test_a_new_enum_value_is_committed_before_its_use() -> None:
    sql = "SELECT 1; ALTER TYPE mood ADD VALUE 'ok'; UPDATE t SET m = 'ok'; ALTER TYPE mood RENAME VALUE 'a' TO 'b';"
    assert shape(sql) == [["SELECT"], ["ALTER TYPE"], ["UPDATE", "ALTER TYPE"]]


def test_what_runs_outside_transactions_is_a_step_of_its_own() -> None:
    sql = """
        CREATE TABLE a (id int);
        CREATE INDEX CONCURRENTLY i ON t (a);
        DROP INDEX CONCURRENTLY j;
        CREATE TABLE b (id int);
    """
    script = read_script(sql)
    assert [step.mode for step in script.steps] == ["tx", "nontx", "nontx", "tx"]
    assert [step.n for step in script.steps] == [1, 2, 3, 4]
    assert classes(sql) == ["brief", "online_long", "online_long", "brief"]


def test_it_may_not_be_inside_an_atomic_file() -> None:
    error = refused("BEGIN;\nSELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (a);\nCOMMIT;")
    assert error.code == "nontx_in_atomic"
    assert error.message.startswith("Line 3: CREATE INDEX can't run inside a transaction")


def test_views_are_replaced_in_one_step() -> None:
    """A moment's lock on a view stops no table, and nobody should see the gap between drop and create."""
    assert shape("DROP VIEW v; CREATE VIEW v AS SELECT 1; CREATE OR REPLACE VIEW w AS SELECT 1;") == [
        ["DROP VIEW", "CREATE VIEW", "CREATE VIEW"]
    ]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE TABLE t (id int)", "brief"),
        ("INSERT INTO t VALUES (1)", "validate"),
        ("UPDATE t SET a = 1", "validate"),
        ("DO $$ BEGIN NULL; END $$", "validate"),
        ("ANALYZE t", "validate"),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY m", "validate"),
        ("REFRESH MATERIALIZED VIEW m", "brief"),
        ("CREATE INDEX i ON t (a)", "brief"),
        ("CREATE TABLE t (id int); CREATE INDEX i ON t (id)", "validate"),
        ("CREATE TABLE t AS SELECT * FROM u", "validate"),
        ("INSERT INTO t VALUES (1); CREATE TRIGGER tr BEFORE INSERT ON t EXECUTE FUNCTION f()", "brief"),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", "validate"),
        ("ALTER TABLE t VALIDATE CONSTRAINT c, ALTER COLUMN a SET NOT NULL", "brief"),
        ("VACUUM t", "online_long"),
        ("VACUUM FULL t", "brief"),
        ("REINDEX TABLE CONCURRENTLY t", "online_long"),
    ],
)
def test_long_work_never_runs_under_a_lock_that_stops_writers(sql: str, expected: str) -> None:
    assert classes(sql) == [expected]


def test_a_steps_hash_changes_with_its_sql_only() -> None:
    def hashes(sql: str) -> list[str]:
        return [step.sha256 for step in read_script(sql).steps]

    assert hashes("SELECT 1,\r\n2;") == hashes("-- note\nSELECT 1,\n2")
    assert hashes("SELECT 1; SELECT 2") != hashes("SELECT 1; SELECT 3")
    assert len(hashes("SELECT 1")[0]) == 64
