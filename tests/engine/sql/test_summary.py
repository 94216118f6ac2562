from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations_app.engine.sql.summary import LENGTH, summarise
from tests.engine.sql.reading import only


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "CREATE INDEX CONCURRENTLY orders_currency ON orders (currency)",
            "CREATE INDEX CONCURRENTLY orders_currency ON orders",
        ),
        ("CREATE INDEX i ON t USING gin (a)", "CREATE INDEX i ON t"),
        ("CREATE TABLE IF NOT EXISTS app.t (\n  id int\n)", "CREATE TABLE IF NOT EXISTS app.t"),
        ("CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)", "CREATE TABLE p1 PARTITION OF p"),
        ("CREATE TABLE t AS SELECT * FROM u", "CREATE TABLE t"),
        ("INSERT INTO t (a, b) VALUES (1, 'secret')", "INSERT INTO t"),
        ("INSERT INTO t VALUES (1)", "INSERT INTO t"),
        ("INSERT INTO t SELECT * FROM u", "INSERT INTO t"),
        ("CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE OR REPLACE FUNCTION f"),
        ("CREATE TYPE mood AS ENUM ('a')", "CREATE TYPE mood"),
        ("CREATE VIEW v AS\n  SELECT 1", "CREATE VIEW v AS …"),
        (
            "ALTER TABLE t\n  ADD COLUMN a text DEFAULT 'x;y' NOT NULL",
            "ALTER TABLE t ADD COLUMN a text DEFAULT '…' NOT NULL",
        ),
        ('ALTER TABLE "Odd ""name" DROP COLUMN b', 'ALTER TABLE "Odd ""name" DROP COLUMN b'),
        ('CREATE TABLE "a (old) SELECT  b" (id int)', 'CREATE TABLE "a (old) SELECT  b"'),
        ('CREATE INDEX ON "t (a)" (b)', 'CREATE INDEX ON "t (a)"'),
        ("CREATE ROLE app PASSWORD 'hunter2'", "CREATE ROLE app PASSWORD '…'"),
        ("ALTER ROLE app PASSWORD E'hunt\\'er2'", "ALTER ROLE app PASSWORD '…'"),
        ("DO $body$ BEGIN PERFORM 'hunter2'; END $body$", "DO $…$"),
        ("SELECT /* hunter2 */ 1 -- hunter2\n, 2", "SELECT 1 , 2"),
        ("UPDATE t SET a$b = 1", "UPDATE t SET a$b = 1"),
    ],
)
def test_it_keeps_names_and_leaves_values_out(sql: str, expected: str) -> None:
    assert only(sql).summary == expected


def test_it_is_one_short_line() -> None:
    summary = only("SELECT " + ",\n".join(f"column_{n}" for n in range(100))).summary
    assert len(summary) == LENGTH
    assert summary.endswith("…")
    assert "\n" not in summary


def test_a_value_longer_than_the_window_stays_out() -> None:
    assert only("UPDATE t SET a = '" + "secret " * 1000 + "'").summary == "UPDATE t SET a = '…'"


@given(st.text())
def test_no_text_breaks_it(sql: str) -> None:
    summary = summarise(sql, "SELECT")
    assert len(summary) <= LENGTH
    assert "\n" not in summary


@given(st.text(st.characters(codec="utf-8", exclude_characters="'\\\0"), min_size=1))
def test_no_literal_shows(value: str) -> None:
    assert (
        summarise(f"SELECT '{value}', E'{value}', $q${value.replace('$', '')}$q$", "SELECT") == "SELECT '…', '…', $…$"
    )
