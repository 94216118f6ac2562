from __future__ import annotations

import pytest

from tests.engine.sql.reading import only, refused, shape


@pytest.mark.parametrize(
    "create",
    [
        "CREATE TEMP TABLE ids (id int) ON COMMIT DROP",
        "CREATE TEMPORARY TABLE ids AS SELECT 1 AS id",
        "CREATE TABLE pg_temp.ids (id int)",
        "SELECT 1 AS id INTO TEMP ids",
        "CREATE TEMP VIEW ids AS SELECT 1 AS id",
        "CREATE TEMP SEQUENCE ids",
        "CREATE FUNCTION pg_temp.ids() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_what_is_temporary_keeps_its_uses_in_one_step(create: str) -> None:
    use = 'UPDATE t SET a = (SELECT id FROM "ids")'
    sql = f"SELECT 0; {create}; ALTER TABLE t ADD COLUMN a int; {use}; DROP TABLE old; SELECT 1; SELECT 2"
    steps = shape(sql)
    assert [len(step) for step in steps] == [1, 3, 1, 2]


def test_the_last_use_may_hide_in_a_body() -> None:
    sql = """
        CREATE TEMP TABLE ids (id int);
        CREATE FUNCTION work() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM Ids; END $$;
        DROP TABLE old;
        SELECT work();
        DROP TABLE older;
    """
    assert shape(sql) == [["CREATE TABLE", "CREATE FUNCTION", "DROP TABLE", "SELECT"], ["DROP TABLE"]]


def test_a_longer_name_is_no_use() -> None:
    sql = "CREATE TEMP TABLE ids (id int); DROP TABLE ids_old; DROP TABLE my_ids;"
    assert shape(sql) == [["CREATE TABLE"], ["DROP TABLE"], ["DROP TABLE"]]


def test_two_temporary_tables_may_overlap() -> None:
    sql = """
        CREATE TEMP TABLE a (id int); DROP TABLE x;
        CREATE TEMP TABLE b (id int); DROP TABLE a; DROP TABLE y; DROP TABLE b; DROP TABLE z;
    """
    assert [len(step) for step in shape(sql)] == [6, 1]


def test_without_anything_to_split_nothing_is_closed() -> None:
    assert shape("SELECT 1; CREATE TEMP TABLE ids AS SELECT 1; SELECT * FROM ids; SELECT 2") == [
        ["SELECT", "CREATE TABLE", "SELECT", "SELECT"]
    ]


def test_nothing_outside_transactions_fits_between_them() -> None:
    sql = "CREATE TEMP TABLE ids (id int);\nCREATE INDEX CONCURRENTLY i ON t (a);\n"
    assert shape(sql) == [["CREATE TABLE"], ["CREATE INDEX"]]
    error = refused(sql + "DROP TABLE ids;")
    assert (error.code, error.message[:7]) == ("nontx_in_atomic", "Line 2:")


def test_deferred_constraints_stay_deferred_to_the_end() -> None:
    sql = "ALTER TABLE a ADD x int; SET CONSTRAINTS ALL DEFERRED; UPDATE a SET x = 1; ALTER TABLE b ADD y int; SELECT 1"
    assert [len(step) for step in shape(sql)] == [1, 4]


def test_deferred_constraints_inside_the_pair_add_nothing() -> None:
    sql = "BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE a SET x = 1; DROP TABLE b; DROP TABLE c; COMMIT;"
    assert [len(step) for step in shape(sql)] == [4]


@pytest.mark.parametrize(
    "sql",
    ["BEGIN; LOCK t; SELECT 1; COMMIT", "-- lockstep:atomic\nLOCK TABLE t; SELECT 1"],
)
def test_a_lock_is_taken_where_the_file_writes_the_transaction(sql: str) -> None:
    assert any("LOCK TABLE" in step for step in shape(sql))
    assert refused("SELECT 1;\nLOCK TABLE t;\nUPDATE t SET a = 1;").code == "lock_table"


def test_a_lock_says_what_it_locks() -> None:
    statement = only("BEGIN; LOCK TABLE a, s.b IN SHARE MODE; COMMIT")
    assert (statement.lock, statement.relations, statement.timeout_class) == ("SHARE", ("a", "s.b"), "brief")
    assert only("BEGIN; LOCK a; COMMIT").lock == "ACCESS EXCLUSIVE"
