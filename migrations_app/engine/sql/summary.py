"""One short line about a statement for logs and pages: names stay, values and bodies never show."""

from __future__ import annotations

import re

from migrations_app.engine.signs import contained

LENGTH = 120
WINDOW = 2_000
# Order matters: comments and quotes first, so that nothing inside them is read as SQL.
TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<string>[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)|(?:[uU]&|[bBxXnN])?'(?:[^']|'')*(?:'|\Z))
    |(?P<dollar>\$(?P<label>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=label)\$|\Z))
    |(?P<name>"(?:[^"]|"")*(?:"|\Z))
    |(?P<word>\w[\w$]*)
    |(?P<space>\s+)""",
    re.VERBOSE | re.DOTALL,
)
# A quoted name may hold what ends a summary elsewhere.
HIDE, UNHIDE = str.maketrans("( ", "\x01\x02"), str.maketrans("\x01\x02", "( ")
SHOWN = {"comment": " ", "string": "'…'", "dollar": "$…$", "space": " "}
# What follows the names in these is detail: columns, rows, bodies.
CUT_AT_BRACKET = frozenset(
    (
        "CREATE TABLE",
        "CREATE INDEX",
        "INSERT",
        "CREATE FUNCTION",
        "CREATE PROCEDURE",
        "CREATE AGGREGATE",
        "CREATE TYPE",
    )
)
DETAIL = re.compile(
    r"\s*\(| USING (?=[^(]*\()|(?: FOR)? VALUES\b| SELECT\b| AS (?:SELECT|WITH|VALUES|ENUM)\b", re.IGNORECASE
)
BODY = re.compile(r"(?<= AS) (?:SELECT|WITH|VALUES|\().*", re.IGNORECASE)


def summarise(sql: str, tag: str) -> str:
    line = _squeeze(sql[:WINDOW])
    if tag in CUT_AT_BRACKET:
        line = DETAIL.split(line, maxsplit=1)[0]
    elif tag in ("CREATE VIEW", "CREATE MATERIALIZED VIEW"):
        line = BODY.sub(" …", line)
    line = line.translate(UNHIDE)
    return contained(line if len(line) <= LENGTH else line[: LENGTH - 1] + "…")


def _squeeze(sql: str) -> str:
    return " ".join(TOKEN.sub(_show, sql).split())


def _show(match: re.Match[str]) -> str:
    if match.lastgroup == "name":
        return match.group().translate(HIDE)
    return SHOWN.get(match.lastgroup or "", match.group())
