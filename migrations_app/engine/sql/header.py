"""The `-- lockstep:` lines above the first statement: what a revision says about itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrations_app.engine.sql.refusal import refuse
from migrations_app.engine.sql.split import skip_blank

PHASES = ("expand", "migrate", "contract")
MAX_VALUE = 200
LINE = re.compile(r"^[ \t]*--[ \t]*lockstep[ \t]*:(.*)", re.IGNORECASE | re.MULTILINE)
VALUE = re.compile(r"\s*(?P<key>[A-Za-z_]+)(?:[ \t]+(?!--)(?P<value>\S+))?[ \t]*(?P<rest>.*)\Z", re.DOTALL)
KNOWN = "schema_rev NAME, phase expand|migrate|contract, parent REVISION, atomic"


@dataclass(frozen=True)
class Header:
    schema_rev: str | None = None
    phase: str | None = None
    parent: str | None = None
    atomic: bool = False


def read_header(sql: str) -> Header:
    found: dict[str, str] = {}
    for line, content in _lines(sql.removeprefix("\ufeff")):
        key, value = _entry(line, content)
        if key in found:
            refuse("header", line, f"the header says {key} twice.", "Keep one of the two lines.")
        found[key] = value
    return Header(
        schema_rev=found.get("schema_rev"),
        phase=found.get("phase"),
        parent=found.get("parent"),
        atomic="atomic" in found,
    )


def _lines(sql: str) -> Iterator[tuple[int, str]]:
    """Header lines with their line numbers; one below the first statement would be overlooked by readers."""
    data = sql.encode(errors="replace")
    leading = data.count(b"\n", 0, skip_blank(data, 0, len(data))) + 1
    for match in LINE.finditer(sql):
        number = sql.count("\n", 0, match.start()) + 1
        if number > leading:
            refuse("header", number, "a lockstep line below the first statement.", "Move it to the top.")
        yield number, match.group(1).strip()


def _entry(line: int, content: str) -> tuple[str, str]:
    match = VALUE.match(content)
    if match is None:
        refuse("header", line, "this lockstep line has no key.", f"Known keys: {KNOWN}.")
    key, value, rest = match.group("key"), match.group("value") or "", match.group("rest").strip()
    if rest and not rest.startswith("--"):
        refuse("header", line, f"{key} takes one word, then came {rest[:40]!r}.", "Put a comment behind `--`.")
    _check(line, key, value)
    return key, value


def _check(line: int, key: str, value: str) -> None:
    if key not in ("schema_rev", "phase", "parent", "atomic"):
        refuse("header", line, f"there is no lockstep key {key[:40]!r}.", f"Known keys: {KNOWN}.")
    if key == "atomic" and value:
        refuse("header", line, "atomic takes no value.", "Write `-- lockstep:atomic`, or leave the line out.")
    if key != "atomic" and not value:
        refuse("header", line, f"{key} needs a value.", f"Known keys: {KNOWN}.")
    if len(value) > MAX_VALUE:
        refuse("header", line, f"{key} is longer than {MAX_VALUE} characters.", "Choose a shorter name.")
    if key == "phase" and value not in PHASES:
        refuse("header", line, f"{value[:40]!r} is not a phase.", f"Phases are {', '.join(PHASES)}.")
