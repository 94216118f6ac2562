"""What a JSON answer has to say: places in it, each held against a value. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

MOST = 50
_SHOWN = 80  # characters of what was found
_LONGEST_PATTERN = 200
_PATH = re.compile(r"[^.\[\]\s]+(?:\[\d{1,6}\])*(?:\.[^.\[\]\s]+(?:\[\d{1,6}\])*)*\Z|(?:\[\d{1,6}\])+\Z")
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_KNOWN = frozenset({"path", "is", "value"})
_TYPES: Mapping[str, Callable[[object], bool]] = {
    "object": lambda found: isinstance(found, dict),
    "array": lambda found: isinstance(found, list),
    "string": lambda found: isinstance(found, str),
    "number": lambda found: _is_number(found),
    "boolean": lambda found: isinstance(found, bool),
    "null": lambda found: found is None,
}


@dataclass(frozen=True)
class _Relation:
    """`told` follows on what was found, and says what would have been right."""

    told: str
    holds: Callable[[object, object], bool]


_RELATIONS: Mapping[str, _Relation] = {
    "exists": _Relation("", lambda found, value: True),
    "equals": _Relation("and not {}", lambda found, value: _same(found, value)),
    "not_equals": _Relation("and has to be anything else", lambda found, value: not _same(found, value)),
    "less": _Relation("and not less than {}", lambda found, value: _compared(found, value, lt)),
    "less_or_equal": _Relation("and not at most {}", lambda found, value: _compared(found, value, le)),
    "greater": _Relation("and not greater than {}", lambda found, value: _compared(found, value, gt)),
    "greater_or_equal": _Relation("and not at least {}", lambda found, value: _compared(found, value, ge)),
    "type": _Relation("and not of the type {}", lambda found, value: _TYPES[str(value)](found)),
    "contains": _Relation("and does not contain {}", lambda found, value: _contains(found, value)),
    "matches": _Relation(
        "and does not match {}", lambda found, value: isinstance(found, str) and bool(re.search(str(value), found))
    ),
}
RELATIONS = tuple(_RELATIONS)
_NUMERIC = frozenset({"less", "less_or_equal", "greater", "greater_or_equal"})


@dataclass(frozen=True)
class Assertion:
    """What stands at `path` is in this relation to `value`."""

    path: str
    relation: str
    value: object = None

    @property
    def told(self) -> str:
        """What it demands, without what was found."""
        value = "" if self.relation == "exists" else f" {self._value}"
        return f"{self.path} {self.relation}{value}"

    @property
    def _value(self) -> str:
        return json.dumps(self.value, ensure_ascii=False)

    def broken(self, document: object) -> str:
        """Why the document does not do what is demanded, as a sentence; nothing where it does."""
        try:
            found = _at(document, self.path)
        except LookupError:
            return f"{self.path} is missing from the answer."
        relation = _RELATIONS[self.relation]
        if relation.holds(found, self.value):
            return ""
        return f"{self.path} is {_shown(found)} {relation.told.format(self._value)}."


def problem(given: object) -> str:
    """A clause about the first assertion that cannot be used."""
    if not isinstance(given, list) or len(given) > MOST:
        return f"has assertions that are no list of at most {MOST}."
    for number, one in enumerate(given, start=1):
        if wrong := _wrong(one):
            return f"has an assertion {number} {wrong}."
    return ""


def read(given: object) -> tuple[Assertion, ...]:
    """Of settings in which problem() found none."""
    assert isinstance(given, list)
    return tuple(Assertion(one["path"], one["is"], one.get("value")) for one in given)


def _wrong(given: object) -> str:
    if not isinstance(given, Mapping) or given.keys() - _KNOWN:
        return "that is no object of path, is and value"
    path, relation, value = given.get("path"), given.get("is"), given.get("value")
    if not isinstance(path, str) or not _PATH.match(path):
        return "without a path such as pool.state.saturation or nodes[0].name"
    if relation not in RELATIONS:
        return f"whose is {relation!r}; there are {', '.join(RELATIONS)}"
    if ("value" in given) == (relation == "exists"):
        return "with a value, which exists does not take" if relation == "exists" else "without a value"
    if relation in _NUMERIC and not _is_number(value):
        return f"that compares with {value!r}, which is no number"
    if relation == "type" and value not in tuple(_TYPES):
        return f"with the type {value!r}; there are {', '.join(_TYPES)}"
    return _bad_pattern(value) if relation == "matches" else ""


def _bad_pattern(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_PATTERN:
        return f"whose pattern is no text of at most {_LONGEST_PATTERN} characters"
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError):
        return f"whose pattern {value!r} cannot be read"
    return ""


def _at(document: object, path: str) -> object:
    """Raises LookupError where nothing stands there."""
    for index, name in _STEP.findall(path):
        if index and isinstance(document, list):
            document = document[int(index)]
        elif name and isinstance(document, dict):
            document = document[name]
        else:
            raise LookupError(path)
    return document


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(found: object, value: object) -> bool:
    """As JSON has it: 1 is 1.0, and true is no number, however deep."""
    if isinstance(found, list) and isinstance(value, list):
        return len(found) == len(value) and all(map(_same, found, value))
    if isinstance(found, dict) and isinstance(value, dict):
        return found.keys() == value.keys() and all(_same(found[key], value[key]) for key in found)
    return isinstance(found, bool) == isinstance(value, bool) and found == value


def _compared(found: object, value: object, how: Callable[[Any, Any], bool]) -> bool:
    """As they are: of two large whole numbers that differ by one, the smaller is the smaller."""
    return _is_number(found) and _is_number(value) and how(found, value)


def _contains(found: object, value: object) -> bool:
    if isinstance(found, list):
        return any(_same(one, value) for one in found)
    return isinstance(found, str | dict) and isinstance(value, str) and value in found


def _shown(found: object) -> str:
    text = json.dumps(found, ensure_ascii=False)
    told = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text[:_SHOWN])
    return f"{told}…" if len(text) > _SHOWN else told
