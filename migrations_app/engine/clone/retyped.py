"""Whether a column's change of type may cut or round values: what PostgreSQL does without a word, value by value.

What it refuses for a value that does not fit, as a shorter varchar or a smaller integer, is no such change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrations_app.engine.sql.aside import set_aside

_TYPE = re.compile(r"(?P<base>[^()\[\]]+?)\s*(?:\((?P<size>[\d,-]+)\))?(?P<rest>[^()\[\]]*)(?P<array>(?:\[\])*)")
_DIGITS = {"smallint": 4, "integer": 9, "bigint": 18, "numeric": 1000}
_HOLDS = {"real": 6, "double precision": 15}  # digits it keeps, whatever the number
_WHOLE = frozenset({"smallint", "integer", "bigint"})
_TEXTS = frozenset({"text", "character varying", "citext"})
# The moment of day and the date, each of which some types leave out.
_PARTS = {
    "date": "d", "time without time zone": "t", "time with time zone": "tz", "timestamp without time zone": "dt",
    "timestamp with time zone": "dt",
}  # fmt: skip
_SPOILT = {
    "json": {"jsonb"}, "inet": {"cidr"}, "text": {"name", "character", '"char"'},
    "character varying": {"name", "character", '"char"'},
}  # fmt: skip
# ALTER [COLUMN] x [SET DATA] TYPE … USING …
_USING = re.compile(
    r"\bALTER\s+(?:COLUMN\s+)?(?P<column>\w+|\"(?:[^\"]|\"\")+\")\s+(?:SET\s+DATA\s+)?TYPE\b"
    r"(?:(?!\b(?:ALTER|ADD|DROP)\b)[^;])*?\bUSING\b"
    r"(?P<how>.*?)(?=,\s*(?:ALTER|ADD|DROP|VALIDATE|ENABLE|DISABLE)\b|;|$)",
    re.IGNORECASE | re.DOTALL,
)
_CAST = r"[\s(]*{0}[\s)]*(?:::\s*[\w\s.\"\[\]]+(?:\([\d,\s]+\))?(?:\[\])*[\s)]*)*|\s*CAST\s*\(\s*{0}\s+AS\s+[^']+\)\s*"


def narrows(old: str, new: str) -> bool:
    """Both as format_type() tells them."""
    one, other = _TYPE.fullmatch(old), _TYPE.fullmatch(new)
    if one is None or other is None or one["array"] != other["array"]:
        return False
    was, becomes = _base(one), _base(other)
    if becomes in _SPOILT.get(was, ()) or (becomes == "boolean" and was in _DIGITS):
        return True
    if was in _PARTS and becomes in _PARTS:
        return bool(set(_PARTS[was]) - set(_PARTS[becomes])) or _size(other, 0, 6) < _size(one, 0, 6)
    return was in {**_DIGITS, **_HOLDS} and becomes in {**_DIGITS, **_HOLDS} and _loses_digits(one, other)


def computed_columns(alter: str) -> Iterator[str]:
    """The columns whose values an ALTER TABLE makes from an expression that is more than a cast; names as written."""
    for found in _USING.finditer(set_aside(alter, names=False)):
        if not re.fullmatch(_CAST.format(re.escape(found["column"])), found["how"], re.IGNORECASE):
            yield found["column"]


def parses(old: str, new: str) -> bool:
    """Text read as something that is written one way only, so that `007` comes back as `7`."""
    one, other = _TYPE.fullmatch(old), _TYPE.fullmatch(new)
    if one is None or other is None or _base(one) not in _TEXTS:
        return False
    return _base(other) in {*_DIGITS, *_HOLDS, *_PARTS, "boolean", "uuid", "jsonb", "interval", "inet", "cidr", "bytea"}


def _base(found: re.Match[str]) -> str:
    return (found["base"] + found["rest"]).strip()


def _size(found: re.Match[str], place: int, unless: int) -> int:
    parts = (found["size"] or "").split(",")
    return int(parts[place]) if place < len(parts) and parts[place] else unless


def _loses_digits(one: re.Match[str], other: re.Match[str]) -> bool:
    was, becomes = _base(one), _base(other)
    if becomes in _HOLDS:
        return _HOLDS.get(was, _DIGITS.get(was, 0)) > _HOLDS[becomes]
    if was in _HOLDS:
        return True  # numeric rounds it to fewer digits than it has
    return _scale(one) > _scale(other)


def _scale(found: re.Match[str]) -> int:
    if _base(found) in _WHOLE:
        return 0
    return _size(found, 1, 0) if found["size"] else 1000
