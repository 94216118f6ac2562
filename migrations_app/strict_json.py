"""JSON that every reader takes alike: no key twice in one object, and no number that JSON cannot hold."""

from __future__ import annotations

import json
from math import isfinite


def loads(text: str | bytes | bytearray) -> object:
    """Raises ValueError, RecursionError."""
    return json.loads(text, parse_float=_float, parse_constant=_refuse_constant, object_pairs_hook=_object)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


def _float(text: str) -> float:
    """1e999 would be read as infinity, which no JSON that is written again can hold."""
    value = float(text)
    if not isfinite(value):
        raise ValueError("a number is too large")
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
