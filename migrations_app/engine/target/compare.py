"""What differs between two readings of a schema, object by object, for the drift page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from migrations_app.engine.target.fingerprint import CatalogueObject

Sign = Literal["+", "-", "~"]


@dataclass(frozen=True, order=True)
class Difference:
    """`+` only in the second reading, `-` only in the first, `~` in both but not the same."""

    kind: str
    name: str
    sign: Sign
    before: str
    after: str


def compare(before: Iterable[CatalogueObject], after: Iterable[CatalogueObject]) -> tuple[Difference, ...]:
    """Sorted by kind and name; empty when the fingerprints are equal."""
    old = {(one.kind, one.name): one for one in before}
    new = {(one.kind, one.name): one for one in after}
    keys = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
    return tuple(sorted(_difference(key, old.get(key), new.get(key)) for key in keys))


def _difference(key: tuple[str, str], old: CatalogueObject | None, new: CatalogueObject | None) -> Difference:
    sign: Sign = "~" if old and new else "-" if old else "+"
    return Difference(*key, sign, _text(old), _text(new))


def _text(one: CatalogueObject | None) -> str:
    if one is None:
        return ""
    return f"{one.definition} (position {one.position})" if one.position else one.definition
