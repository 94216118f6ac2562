"""What differs between two readings of a schema, object by object, told in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from migrations_app.engine.target import difference_words
from migrations_app.engine.target.fingerprint import CatalogueObject

Sign = Literal["+", "-", "~"]

COLUMN_ORDER = "column order"


@dataclass(frozen=True, order=True)
class Difference:
    """`+` only in the second reading, `-` only in the first, `~` in both but not the same."""

    kind: str
    name: str
    sign: Sign
    before: str
    after: str

    @property
    def sentence(self) -> str:
        """What happened to which object, in plain words."""
        return difference_words.sentence(self.kind, self.name, self.sign, self.before, self.after)


def compare(before: Iterable[CatalogueObject], after: Iterable[CatalogueObject]) -> tuple[Difference, ...]:
    """Sorted by kind and name; empty when the fingerprints are equal, and only then."""
    old = {(one.kind, one.name): one for one in before}
    new = {(one.kind, one.name): one for one in after}
    found = [_difference(key, old.get(key), new.get(key)) for key in old.keys() | new.keys() if _differ(old, new, key)]
    return tuple(sorted([*found, *_moved(old, new)]))


_Objects = dict[tuple[str, str], CatalogueObject]


def _differ(old: _Objects, new: _Objects, key: tuple[str, str]) -> bool:
    one, other = old.get(key), new.get(key)
    return one is None or other is None or one.definition != other.definition


def _difference(key: tuple[str, str], old: CatalogueObject | None, new: CatalogueObject | None) -> Difference:
    sign: Sign = "~" if old and new else "-" if old else "+"
    return Difference(*key, sign, old.definition if old else "", new.definition if new else "")


def _moved(old: _Objects, new: _Objects) -> list[Difference]:
    """One for each table whose remaining columns changed places among themselves."""
    before, after = _orders(old, new), _orders(new, old)
    return [
        Difference(COLUMN_ORDER, table, "~", "\n".join(columns), "\n".join(after[table]))
        for table, columns in before.items()
        if columns != after[table]
    ]


def _orders(objects: _Objects, others: _Objects) -> dict[str, list[str]]:
    """The columns of each table that both readings place, in the order of the first one."""
    places: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for key, one in objects.items():
        if one.position and key in others and others[key].position:
            places[table_of(one.name)].append((one.position, one.name))
    return {table: [name for _, name in sorted(columns)] for table, columns in places.items()}


def table_of(column: str) -> str:
    """`public.orders` of `public.orders.note`; quoted names may hold dots."""
    if not column.endswith('"'):
        return column.rpartition(".")[0]
    start = len(column) - 1
    while True:
        start = column.rindex('"', 0, start)
        if column[start - 1] != '"':
            return column[: start - 1]
        start -= 1
