from __future__ import annotations

import pytest

from tests.engine.sql.reading import refused, shape


def test_it_gives_the_line_and_postgresqls_own_message() -> None:
    error = refused("SELECT 'äöü';\n\nSELECT frm frm x;")
    assert error.code == "syntax_error"
    assert error.message == 'Line 3: PostgreSQL says: syntax error at or near "x".'


@pytest.mark.parametrize(
    ("sql", "line"), [("SELECT 1;\nSELECT 'half", 2), ("\n$$", 2), ("SELECT 1;\n/* open", 2), ("SELECT (", 1)]
)
def test_it_finds_the_line_of_what_is_not_closed(sql: str, line: int) -> None:
    error = refused(sql)
    assert error.code == "syntax_error"
    assert error.message.startswith(f"Line {line}: ")


def test_it_keeps_a_huge_message_short() -> None:
    assert len(refused("x" * 100_000).message) < 300


@pytest.mark.parametrize(
    ("sql", "line", "what"),
    [
        ("\\restrict abc\nSELECT 1;", 1, r"\restrict is a command of psql"),
        ("SELECT 1;\n\\connect other\nSELECT 2;", 2, r"\connect is a command of psql"),
        ("SELECT 1;\n  \\copy t from 'x'", 2, r"\copy is a command of psql"),
        ("SELECT 1 \\gexec", 1, r"\gexec is a command of psql"),
        ("SELECT 1;\n\\.\n", 2, r"\. is a command of psql"),
        ("SELECT 1;\nCREATE TABLE :name (id int);", 2, "a :variable is filled in by psql"),
        ("SELECT :'name'", 1, "a :variable is filled in by psql"),
        ('SELECT * FROM :"name"', 1, "a :variable is filled in by psql"),
        ("COPY t (a, b) FROM stdin;\n1\tx\n\\.\nSELECT 1;", 2, "data of COPY … FROM stdin"),
        ("COPY public.t (a) FROM stdin WITH (FORMAT csv);\nfoo's,1\n\\.\n", 2, "data of COPY … FROM stdin"),
        ("COPY t FROM STDIN;\n\\N\t1\n\\.\n", 2, "data of COPY … FROM stdin"),
    ],
)
def test_it_knows_what_only_psql_understands(sql: str, line: int, what: str) -> None:
    error = refused(sql)
    assert error.code == "psql_command"
    assert error.message.startswith(f"Line {line}: ")
    assert what in error.message
    assert error.next_step


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'a\n\\copy b\n'",
        "SELECT $$\n\\connect x\n$$",
        "-- \\restrict\nSELECT 1",
        "/*\n\\i other.sql\n*/ SELECT 1",
        "SELECT 1::text, (ARRAY[1,2])[1:2], E'\\n'",
        "SELECT ':name', $$ :name $$",
    ],
)
def test_it_leaves_quotes_and_comments_alone(sql: str) -> None:
    assert shape(sql) == [["SELECT"]]
