from __future__ import annotations

import pytest

from migrations_app.engine.sql.limits import milliseconds
from migrations_app.engine.sql.script import read_script
from tests.engine.sql.reading import refused, shape


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0", 0), ("5000", 5000), ("5s", 5000), (" 1.5 s ", 1500), ("2min", 120_000), ("250ms", 250), ("1h", 3_600_000)],
)
def test_it_reads_a_time_as_postgresql_does(value: str, expected: int) -> None:
    assert milliseconds(value) == expected


@pytest.mark.parametrize("value", ["", "soon", "5 sec", "-1", "1 s 2"])
def test_anything_else_is_no_time(value: str) -> None:
    assert milliseconds(value) is None
    assert refused(f"SET lock_timeout = '{value}'").code == "set_refused"


@pytest.mark.parametrize(
    "sql",
    [
        "SET lock_timeout = 0",
        "SET LOCAL statement_timeout TO '0s'",
        "SET idle_in_transaction_session_timeout = 0",
        "SELECT pg_catalog.set_config('transaction_timeout', '0', false)",
        "RESET statement_timeout",
        "SET lock_timeout TO DEFAULT",
    ],
)
def test_no_limit_leaves_the_runners(sql: str) -> None:
    script = read_script(f"{sql}; SELECT 1; {sql}; ALTER TABLE t ADD x int; {sql}")
    assert script.settings == ()
    assert shape(f"{sql}; SELECT 1; {sql}; ALTER TABLE t ADD x int; {sql}") == [["SELECT"], ["ALTER TABLE"]]


def test_a_limit_is_repeated_in_every_step_and_can_be_taken_back() -> None:
    sql = "SET lock_timeout = '5s'; SELECT 1; DROP TABLE a; SELECT 2; RESET lock_timeout; DROP TABLE b"
    assert read_script(sql).settings == ()
    assert shape(sql) == [["SET", "SELECT"], ["SET", "DROP TABLE"], ["SET", "SELECT"], ["DROP TABLE"]]


def test_a_limit_cannot_hold_outside_transactions() -> None:
    error = refused("SET statement_timeout = '30min'; CREATE INDEX CONCURRENTLY i ON t (a)")
    assert error.code == "set_refused"
    assert "time-out" in error.next_step
    assert shape("SET statement_timeout = 0; CREATE INDEX CONCURRENTLY i ON t (a)") == [["CREATE INDEX"]]
