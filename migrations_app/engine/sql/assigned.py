"""Which columns an UPDATE assigns, read lexically; and whether a statement changes rows from within something else."""

from __future__ import annotations

import re

from migrations_app.engine.sql.aside import NAME, set_aside

_ENDS = re.compile(r"\b(?:FROM|WHERE|RETURNING)\b", re.IGNORECASE)
_SET = re.compile(r"\bSET\b", re.IGNORECASE)
_TARGET = re.compile(rf"\s*({NAME}|[\w.]+)\s*(?:\[[^\]]*\]\s*)?=")
_INSIDE = re.compile(r"\b(?:UPDATE|DELETE\s+FROM|TRUNCATE)\b", re.IGNORECASE)


def assigned_columns(update: str) -> frozenset[str] | None:
    """The names behind SET, folded to lower case; None where one is quoted or in SET (a, b) = …"""
    words = set_aside(update)
    begin = _SET.search(words)
    if begin is None:
        return None
    names = set()
    for part in _at_the_top(words[begin.end() :]):
        target = _TARGET.match(part)
        if target is None or target[1] == NAME:
            return None
        names.add(target[1].rpartition(".")[2].lower())
    return frozenset(names)


def changes_inside(text: str) -> bool:
    """Whether a DO block, or a query with a WITH, speaks of changing rows; strings and bodies are read too."""
    return _INSIDE.search(text) is not None


def _at_the_top(words: str) -> list[str]:
    """The assignments, cut at the commas outside of brackets, up to what ends the list."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(words):
        depth += (letter in "([") - (letter in ")]")
        if depth == 0 and letter == ",":
            parts.append(words[start:place])
            start = place + 1
        if depth == 0 and _ENDS.match(words, place) and not words[place - 1 : place].isalnum():
            return [*parts, words[start:place]]
    return [*parts, words[start:]]
