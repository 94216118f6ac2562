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
        ("BEGIN;\nSELECT 1;\nROLLBACK;", 1, "BEGIN"),
        ("BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;", 1, "BEGIN"),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;", 1, "BEGIN"),
        ("SELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;", 2, "BEGIN"),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\nEND;", 3, "COMMIT"),
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


def test_begin_inside_a_body_is_the_bodys_own() -> None:
    sql = "DO $$ BEGIN PERFORM 1; COMMIT; END $$; CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;"
    assert shape(sql) == [["DO", "CREATE FUNCTION"]]
