"""Names and remarks in drafted SQL: names come quoted from the server, and nothing ends a remark before its time."""

from __future__ import annotations

import re
from collections.abc import Collection

_LAST = re.compile(r'\.?("(?:[^"]|"")*"|[^".]+)\Z', re.DOTALL)


def last_part(name: str) -> str:
    """`note` of `public.orders.note`, quoted as it came."""
    found = _LAST.search(name)
    return found[1] if found else name


def owner_of(name: str) -> str:
    """`public.orders` of `public.orders.note`; empty for a name of one part."""
    found = _LAST.search(name)
    return name[: found.start()] if found else ""


def said(text: str) -> str:
    """On one line, for a remark that is one."""
    return " ".join(text.split())


def todo(verb: str, kind: str, name: str, before: str, after: str) -> str:
    """What a person has to write, with both definitions."""
    lines = [f"-- TODO: {verb} {kind} {said(name)}"]
    for word, text in (("before", before), ("after", after)):
        if text:
            lines += [f"-- {word}:", *(f"--   {line}" for line in text.splitlines())]
    return "\n".join(lines)


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'" if "\\" not in text else "E'" + _escaped(text) + "'"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "''")


def lines_of(definition: str, keys: Collection[str], flags: Collection[str] = ()) -> dict[str, str] | None:
    """What each line says, a flag as itself; None as soon as a line is neither, or one stands twice."""
    told: dict[str, str] = {}
    for line in definition.split("\n"):
        key, _, text = line.partition(": ")
        name = line if line in flags else key if key in keys and text else ""
        if not name or name in told:
            return None
        told[name] = text
    return told
