from __future__ import annotations

import pytest

from migrations_app.engine.sql.script import read_script
from tests.engine.sql.reading import refused, shape


def test_a_file_without_transaction_statements_is_not_atomic() -> None:
    assert read_script("SELECT 1;").atomic is False


@pytest.mark.parametrize(
    ("begin", "commit"),
    [
        ("BEGIN", "COMMIT"),
        ("begin work", "end"),
        ("START TRANSACTION", "COMMIT TRANSACTION"),
        ("BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE", "COMMIT AND NO CHAIN"),
        ("-- why\nBEGIN TRANSACTION", "COMMIT; -- done"),
        ("SET search_path TO app;\nBEGIN", "COMMIT"),
    ],
)
def test_one_outer_pair_makes_one_step(begin: str, commit: str) -> None:
    sql = f"{begin};\nALTER TABLE a ADD COLUMN x int;\nALTER TABLE b ADD COLUMN x int;\n{commit}"
    script = read_script(sql)
    assert script.atomic is True
    assert shape(sql) == [["ALTER TABLE", "ALTER TABLE"]]


def test_an_empty_pair_has_no_steps() -> None:
    script = read_script("BEGIN; COMMIT;")
    assert (script.steps, script.atomic) == ((), True)


@pytest.mark.parametrize(
    "begin",
    [
        "BEGIN ISOLATION LEVEL SERIALIZABLE",
        "START TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "BEGIN READ ONLY",
        "BEGIN DEFERRABLE",
    ],
)
def test_another_kind_of_transaction_is_refused(begin: str) -> None:
    error = refused(f"\n{begin};\nSELECT 1;\nCOMMIT;")
    assert error.code == "embedded_transaction"
    assert error.message.startswith("Line 2: ")


@pytest.mark.parametrize(
    ("sql", "line", "name"),
    [
        ("SELECT 1;\nCOMMIT;", 2, "COMMIT"),
        ("BEGIN;\nSELECT 1;", 1, "BEGIN"),
        ("BEGIN;\nSELECT 1;\nROLLBACK;", 3, "ROLLBACK"),
        ("BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;", 3, "COMMIT"),
        ("BEGIN;\nSELECT 1;\nBEGIN;\nCOMMIT;", 3, "BEGIN"),
        ("BEGIN;\nSELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;\nCOMMIT;", 3, "BEGIN"),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nCOMMIT;", 3, "COMMIT"),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;", 3, "COMMIT"),
        ("SET search_path = a;\nCOMMIT;", 2, "COMMIT"),
        ("BEGIN;", 1, "BEGIN"),
        ("BEGIN;\nSAVEPOINT a;\nCOMMIT;", 2, "SAVEPOINT"),
        ("SELECT 1;\nROLLBACK TO a;", 2, "ROLLBACK TO SAVEPOINT"),
        ("SELECT 1;\nRELEASE a;", 2, "RELEASE SAVEPOINT"),
        ("SELECT 1;\nPREPARE TRANSACTION 'x';", 2, "PREPARE TRANSACTION"),
        ("COMMIT PREPARED 'x';", 1, "COMMIT PREPARED"),
        ("ABORT;", 1, "ROLLBACK"),
    ],
)
def test_any_other_is_refused_with_its_line(sql: str, line: int, name: str) -> None:
    error = refused(sql)
    assert error.code == "embedded_transaction"
    assert error.message == f"Line {line}: {name} inside a revision would take the transaction away from the runner."
    assert "-- lockstep:atomic" in error.next_step


@pytest.mark.parametrize(
    ("sql", "line", "name"),
    [
        ("CREATE TABLE a();\nBEGIN;\nSELECT 1;\nCOMMIT;", 2, "BEGIN"),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;", 3, "COMMIT"),
        ("SELECT 0;\nSTART TRANSACTION;\nSELECT 1;\nEND;\nSELECT 2;", 2, "START TRANSACTION"),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\nCOMMIT;", 3, "COMMIT"),
        ("BEGIN;\nCOMMIT;\nBEGIN;\nCOMMIT;", 2, "COMMIT"),
        ("SELECT 1;\nBEGIN;\nCOMMIT;", 2, "BEGIN"),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nRESET search_path;", 3, "COMMIT"),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nCREATE INDEX CONCURRENTLY i ON t (a);", 3, "COMMIT"),
        ("-- lockstep:atomic\nSELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;", 3, "BEGIN"),
    ],
)
def test_a_pair_that_leaves_something_out_is_refused(sql: str, line: int, name: str) -> None:
    error = refused(sql)
    assert error.code == "embedded_transaction"
    assert error.message.startswith(f"Line {line}: {name} inside a revision")
    assert "one BEGIN at its top and one COMMIT at its end" in error.next_step


def test_a_pair_and_the_header_may_say_the_same() -> None:
    assert shape("-- lockstep:atomic\nBEGIN; SELECT 1; COMMIT;") == [["SELECT"]]


def test_set_local_inside_the_pair_holds_for_what_follows_it() -> None:
    script = read_script("BEGIN; SELECT 1; SET LOCAL search_path = a; SELECT 2; COMMIT;")
    assert script.settings == ()
    assert [[one.text for one in step.statements] for step in script.steps] == [
        ["SELECT 1", "SELECT pg_catalog.set_config('search_path', 'a', true)", "SELECT 2"],
    ]


def test_begin_inside_a_body_is_the_bodys_own() -> None:
    sql = "DO $$ BEGIN PERFORM 1; COMMIT; END $$; CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;"
    assert shape(sql) == [["DO", "CREATE FUNCTION"]]
