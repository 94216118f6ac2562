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
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nCOMMIT;", 4, "COMMIT"),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;", 4, "BEGIN"),
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


def test_a_pair_in_the_middle_is_one_step_and_the_rest_is_split_as_ever() -> None:
    sql = """
        ALTER TABLE a ADD COLUMN x int;
        BEGIN;
        ALTER TABLE a ADD COLUMN y int;
        UPDATE a SET y = x;
        END;
        ALTER TABLE a ALTER COLUMN y SET NOT NULL;
        SELECT 1;
        BEGIN; COMMIT;
        SELECT 2;
        BEGIN; SELECT 3; COMMIT;
        BEGIN; SELECT 4; COMMIT;
    """
    assert read_script(sql).atomic is False
    assert shape(sql) == [
        ["ALTER TABLE"],
        ["ALTER TABLE", "UPDATE"],
        ["ALTER TABLE"],
        ["SELECT", "SELECT"],
        ["SELECT"],
        ["SELECT"],
    ]


def test_what_cannot_be_in_a_transaction_stands_beside_a_pair_but_not_inside() -> None:
    index = "CREATE INDEX CONCURRENTLY i ON t (a);"
    assert shape(f"BEGIN; SELECT 1; COMMIT; {index}") == [["SELECT"], ["CREATE INDEX"]]
    error = refused(f"SELECT 1;\nBEGIN;\n{index}\nCOMMIT;")
    assert (error.code, error.message[:7]) == ("nontx_in_atomic", "Line 3:")


def test_one_transaction_for_the_file_and_several_in_it_contradict_each_other() -> None:
    error = refused("-- lockstep:atomic\nSELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;")
    assert (error.code, error.message[:7]) == ("embedded_transaction", "Line 3:")
    assert shape("-- lockstep:atomic\nBEGIN; SELECT 1; COMMIT;") == [["SELECT"]]


def test_set_local_ends_with_its_pair() -> None:
    sql = "BEGIN; SET LOCAL search_path = a; SELECT 1; COMMIT; SELECT 2; BEGIN; SET search_path = b; COMMIT; SELECT 3;"
    script = read_script(sql)
    assert script.settings == ()
    assert [[one.text for one in step.statements] for step in script.steps] == [
        ["SELECT pg_catalog.set_config('search_path', 'a', true)", "SELECT 1"],
        ["SELECT 2"],
        ["SELECT pg_catalog.set_config('search_path', 'b', true)", "SELECT 3"],
    ]


def test_begin_inside_a_body_is_the_bodys_own() -> None:
    sql = "DO $$ BEGIN PERFORM 1; COMMIT; END $$; CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;"
    assert shape(sql) == [["DO", "CREATE FUNCTION"]]
