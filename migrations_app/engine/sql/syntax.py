"""Turns a syntax error into a sentence, and knows the mistakes that come from files written for psql."""

from __future__ import annotations

import re
from typing import NoReturn

from migrations_app.engine.sql.refusal import refuse

# The data of COPY … FROM stdin begins on the line after the statement.
COPY_DATA = re.compile(r"\bcopy\s[^;]*\sfrom\s+stdin\b[^;]*;[^\n]*\n[^\n]*\Z", re.IGNORECASE)
VARIABLE = re.compile(r""":[A-Za-z_'"{]""")
COMMAND = re.compile(r"\\[A-Za-z_.!?]*")
WINDOW = 10_000


def explain(sql: str, message: str, position: int) -> NoReturn:
    """`position` is PostgreSQL's: characters, from 1; 0 when it does not know."""
    offset = max(position - 1, 0)
    line = sql.count("\n", 0, offset) + 1
    _refuse_psql(sql, offset, line)
    refuse("syntax_error", line, f"PostgreSQL says: {_short(message)}.", "Correct the SQL and try again.")


def _refuse_psql(sql: str, offset: int, line: int) -> None:
    before = sql[max(0, offset - WINDOW) : offset]
    if COPY_DATA.search(before):
        refuse(
            "psql_command",
            line,
            "this looks like data of COPY … FROM stdin, which only psql can send.",
            "Write INSERT statements (pg_dump --inserts), or load the data outside the revision.",
        )
    if command := COMMAND.match(sql, offset):
        refuse(
            "psql_command",
            line,
            f"{command.group()[:40]} is a command of psql, not SQL.",
            "Remove the line; for \\i paste the other file's SQL, for \\copy write INSERT statements.",
        )
    if VARIABLE.match(sql, offset):
        refuse(
            "psql_command",
            line,
            "a :variable is filled in by psql, not by PostgreSQL.",
            "Write the value itself; a revision is the same text in every environment.",
        )


def _short(message: str) -> str:
    return message if len(message) <= 200 else message[:199] + "…"
