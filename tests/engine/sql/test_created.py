from __future__ import annotations

import pytest

from tests.engine.sql.reading import only, shape


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (id int); ALTER TABLE t ADD COLUMN a int",
        "CREATE TABLE IF NOT EXISTS t (id int); ALTER TABLE t ADD COLUMN a int",
        "CREATE TABLE s.t (id int); ALTER TABLE s.t ADD COLUMN a int",
        "CREATE TABLE t AS SELECT 1; ALTER TABLE t ADD COLUMN a int",
        "SELECT 1 AS id INTO t; ALTER TABLE t ADD COLUMN a int",
        "CREATE SCHEMA s CREATE TABLE t (id int); ALTER TABLE s.t ADD COLUMN a int",
        "CREATE FOREIGN TABLE t (id int) SERVER x; ALTER FOREIGN TABLE t ADD COLUMN a int",
        "CREATE MATERIALIZED VIEW m AS SELECT 1; REFRESH MATERIALIZED VIEW m",
        "CREATE TABLE t (id int); ALTER TABLE t RENAME TO u; ALTER TABLE u ADD COLUMN a int",
        "CREATE TABLE t (id int); ALTER TABLE t SET SCHEMA s; ALTER TABLE s.t ADD COLUMN a int",
        "CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p DEFAULT",
    ],
)
def test_a_new_table_needs_no_step_of_its_own(sql: str) -> None:
    assert len(shape(sql)) == 1


@pytest.mark.parametrize(
    ("sql", "steps"),
    [
        ("CREATE TABLE s.t (id int); ALTER TABLE t ADD COLUMN a int", 2),
        ("CREATE TABLE t (id int); ALTER TABLE public.t ADD COLUMN a int", 2),
        ("CREATE TABLE t (id int); ALTER TABLE u ADD COLUMN a int; ALTER TABLE t ADD COLUMN a int", 3),
        ("CREATE TABLE t (id int); DROP TABLE t; ALTER TABLE t ADD COLUMN a int", 2),
        ("CREATE TABLE t_new (id int); ALTER TABLE t RENAME TO t_old; ALTER TABLE t_old ADD COLUMN a int", 3),
    ],
)
def test_any_other_is_taken_for_an_existing_one(sql: str, steps: int) -> None:
    assert len(shape(sql)) == steps


def test_a_swap_of_names_takes_newness_along() -> None:
    sql = """
        CREATE TABLE new (id int);
        ALTER TABLE t RENAME TO old;
        ALTER TABLE new RENAME TO t;
        ALTER TABLE t ADD COLUMN a int;
        ALTER TABLE old ADD COLUMN a int;
    """
    assert [len(step) for step in shape(sql)] == [1, 1, 2, 1]


def test_a_table_that_refers_to_itself_locks_nothing() -> None:
    assert only("CREATE TABLE node (id int PRIMARY KEY, parent int REFERENCES node)").lock is None
    assert only("CREATE SCHEMA s CREATE TABLE a (id int PRIMARY KEY REFERENCES s.a)").lock is None
