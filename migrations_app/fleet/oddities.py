"""What is odd about an environment: other bytes than the chain's, holes below the head.

Found by a search through what is applied there, so it is kept in this process until the triggers' versions say
that the environment or the chain has changed. Nearly always there is nothing odd and nothing to search.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import connection

from migrations_app.fleet.matrix_columns import Column
from migrations_app.models import Service

MOST_KEPT = 2000

_Key = tuple[int, int, int, int]


@dataclass(frozen=True)
class Oddities:
    """Places in the chain."""

    other_bytes: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    above: tuple[int, ...] = ()  # applied, though newer than the head


_kept: OrderedDict[_Key, Oddities] = OrderedDict()


@cache
def _query() -> str:
    return (Path(__file__).parent / "oddities.sql").read_text(encoding="utf-8")


def read_oddities(service: Service, columns: Sequence[Column], chain: int) -> dict[int, Oddities]:
    """By environment; one query when anything changed since it was last asked, else none."""
    keys = {column.id: (column.id, column.version, column.position, chain) for column in columns}
    known = {id: _kept[key] for id, key in keys.items() if key in _kept}
    unknown = [column for column in columns if column.id not in known]
    if unknown:
        found = _search(service, unknown)
        for id, oddities in found.items():
            _keep(keys[id], oddities)
        known.update(found)
    return known


def _search(service: Service, columns: Sequence[Column]) -> dict[int, Oddities]:
    found: dict[int, dict[str, list[int]]] = {column.id: {"D": [], "O": [], "A": []} for column in columns}
    holed = [column for column in columns if column.has_holes]
    parameters: dict[str, int | list[int]] = {
        "service": service.pk,
        "environments": [column.id for column in columns],
        "with_holes": [column.id for column in holed],
        "heads": [column.position for column in holed],
    }
    with connection.cursor() as cursor:
        cursor.execute(_query(), parameters)
        for id, kind, position in cursor.fetchall():
            found[id][kind].append(position)
    return {id: Oddities(tuple(each["D"]), tuple(each["O"]), tuple(each["A"])) for id, each in found.items()}


def _keep(key: _Key, oddities: Oddities) -> None:
    _kept[key] = oddities
    while len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)
