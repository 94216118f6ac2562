"""The one query behind a fingerprint, put together from the sections which this target needs.

Planning all of them takes longer than reading a small schema, so a section may begin with `-- if any: <catalogue>
[WHERE …]` and is left out where that finds no row. A run takes two fingerprints on one session; the second finds the
query planned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from migrations_app.engine.target.queries import read_sql

# Before, publications had no tables of their own for schemas and conditions.
PUBLICATIONS_SINCE = 150000

# Local to the savepoint. An empty search_path qualifies every name; the next ones change how definitions are written,
# and a database or a role may bring its own. Compiling this query would take longer than running it.
_LOCAL = {
    "search_path": "",
    "quote_all_identifiers": "off",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "lc_monetary": "C",
    "jit": "off",
    "work_mem": "64MB",
}
_PREPARED = "ARRAY(SELECT name FROM pg_catalog.pg_prepared_statements)"
_SETTINGS = ",\n  ".join(
    [
        f"SELECT {_PREPARED}, pg_catalog.set_config('lock_timeout', %s, true)",
        *(f"pg_catalog.set_config('{name}', '{value}', true)" for name, value in _LOCAL.items()),
    ]
)
_FIRST_ANSWER = 2 + len(_LOCAL)
_CONDITION = re.compile(r"^-- if any: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class _Section:
    text: str
    condition: str | None


@cache
def settings_query(server_version: int) -> str:
    """Makes the settings; beside them, one boolean for each section that has a condition."""
    conditions = [one.condition for one in _sections(server_version >= PUBLICATIONS_SINCE) if one.condition]
    return _SETTINGS + "".join(f",\n  EXISTS (SELECT FROM pg_catalog.{condition})" for condition in conditions)


def catalogue_query(server_version: int, settings: tuple[object, ...]) -> str:
    """What to execute, given the row that the settings query returned. Its last statement brings the rows."""
    prepared, present = settings[0], tuple(value is True for value in settings[_FIRST_ANSWER:])
    name, text = _composed(server_version >= PUBLICATIONS_SINCE, present)
    known = isinstance(prepared, list) and name in prepared
    return f"EXECUTE {name}" if known else f"PREPARE {name} AS {text};\nEXECUTE {name}"


@cache
def _composed(publications: bool, present: tuple[bool, ...]) -> tuple[str, str]:
    answers = iter(present)
    needed = [one.text for one in _sections(publications) if one.condition is None or next(answers)]
    text = read_sql("fingerprint.sql").replace("/* objects */", "\nUNION ALL\n".join(needed)).rstrip()
    return f"lockstep_fingerprint_{sha256(text.encode()).hexdigest()[:16]}", text


@cache
def _sections(publications: bool) -> tuple[_Section, ...]:
    parts = ("tables", "code", "types", "rest", *(["publications"] if publications else []))
    texts = [text for part in parts for text in read_sql(f"fingerprint_{part}.sql").split("\n\nUNION ALL\n")]
    return tuple(_Section(text, found[1] if (found := _CONDITION.search(text)) else None) for text in texts)
