from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from migrations_app.engine.sql.reading import pieces_of

STATEMENTS = [
    "SELECT 1",
    "SELECT 'a;b', 'it''s'",
    "SELECT E'a\\';b', U&'d\\0061t;a', $$;$$, $x$ $$;$$ $x$",
    'CREATE TABLE "od;d" (id int)',
    "SELECT /* ; /* ; */ ; */ 1",
    "SELECT 1 -- ; not here\n, 2",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
    "DO $do$ BEGIN PERFORM 1; PERFORM ';'; END $do$",
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
    "INSERT INTO größe VALUES ('日本; 🎉')",
    "CREATE FUNCTION g() RETURNS text AS 'SELECT '';'';' LANGUAGE sql",
    "SELECT 1\r\n  , 2",
]
BETWEEN = ["", "\n", " \t\r\n", "-- note; 'half\n", "/* /* nested ' */ ; */", "-- 日本 $$\n\n", ";", "\f"]


def texts(sql: str) -> list[str]:
    return [piece.text for piece in pieces_of(sql)]


def test_it_finds_nothing_in_empty_files() -> None:
    for sql in ("", " \n", ";;", "-- only a comment", "/* and /* another */ */", "-- a\n;\n-- b"):
        assert texts(sql) == []


def test_the_last_semicolon_is_optional() -> None:
    assert texts("SELECT 1; SELECT 2") == texts("SELECT 1; SELECT 2;") == ["SELECT 1", "SELECT 2"]


def test_it_leaves_comments_before_a_statement_out_and_counts_their_lines() -> None:
    sql = "-- one\n/* two\n three */\nSELECT 1\n;\n\n-- seven\nSELECT 2;"
    assert [(piece.text, piece.line) for piece in pieces_of(sql)] == [("SELECT 1", 4), ("SELECT 2", 8)]


def test_it_cuts_by_bytes_not_characters() -> None:
    assert texts("SELECT 'äöü🎉'; SELECT 'ß'") == ["SELECT 'äöü🎉'", "SELECT 'ß'"]


def test_it_keeps_line_ends_as_written() -> None:
    assert texts("SELECT 1,\r\n2;\r\n") == ["SELECT 1,\r\n2"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(BETWEEN), st.sampled_from(STATEMENTS), st.sampled_from(BETWEEN))))
def test_joined_statements_come_apart_as_they_were(parts: list[tuple[str, str, str]]) -> None:
    sql, expected = "", []
    for before, statement, after in parts:
        sql += before
        expected.append((statement, sql.count("\n") + 1))
        sql += statement + ";" + after
    assert [(piece.text, piece.line) for piece in pieces_of(sql)] == expected
