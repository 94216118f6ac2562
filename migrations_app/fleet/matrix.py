"""Revisions × environments as strings: one character per cell, one row per revision, a window at a time.

1. `survey` reads where every environment stands and works out which places of the chain differ.
2. `read_rows` reads a window of those places. Whatever the size of the fleet, that is the same few queries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import connection

from migrations_app.fleet.matrix_columns import Column, read_columns
from migrations_app.fleet.oddities import Oddities, read_oddities
from migrations_app.fleet.places import Places, Stretch, outside, places, stretches_of
from migrations_app.models import Service

MAX_ROWS, MAX_COLUMNS = 100, 80
EVERYTHING = 2**31 - 1

# What a character means. Any other character is a defect.
CELLS: dict[str, str] = {
    ".": "not applicable",
    "P": "pending",
    "R": "running",
    "B": "rolling back",
    "W": "waiting",
    "A": "applied",
    "F": "failed",
    "D": "applied with other bytes",
    "O": "missing below the head",
    "U": "unknown",
}


@dataclass(frozen=True)
class Row:
    revision_id: str
    position: int
    phase: str
    schema_rev: str
    cells: str


@dataclass(frozen=True)
class Survey:
    """Where everything stands. Every place of the chain is in one of the first three sets."""

    service: Service
    columns: tuple[Column, ...]
    total: int
    chain: int  # grows when a revision changes
    differing: Places
    applied: Places  # everywhere
    pending: Places  # everywhere
    drift: Places  # other bytes somewhere
    disorder: Places  # missing somewhere below the head
    last_stage: Places  # not applied everywhere in the last stage

    def everything(self) -> Places:
        return places([(1, self.total)], self.total)

    def not_applied(self) -> Places:
        """Whatever is not applied everywhere."""
        return outside(self.applied, 1, self.total)


@dataclass(frozen=True)
class Window:
    """`folded` revisions are applied everywhere and not among the rows; `older` is the next anchor."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: int
    folded: int
    hidden_columns: int
    older: int | None


def survey(service: Service, only: Sequence[str] = ()) -> Survey:
    """Over all environments of a service, or those named; unknown names are left out."""
    read = read_columns(service)
    columns = tuple(column for column in read.columns if not only or column.name in only)
    odd = read_oddities(service, columns, read.chain)
    low = min((_lowest(column) for column in columns), default=0)
    high = max((_highest(column, read.total) for column in columns), default=read.total)
    differing = places([(low + 1, high), *_unusual(columns, odd)], read.total)
    last = [column for column in columns if column.stage == columns[-1].stage]
    lacking = min((_lowest(column) for column in last), default=0)
    return Survey(
        service=service,
        columns=columns,
        total=read.total,
        chain=read.chain,
        differing=differing,
        applied=outside(differing, 1, low),
        pending=outside(differing, high + 1, read.total),
        drift=places(stretches_of(p for o in odd.values() for p in o.other_bytes), read.total),
        disorder=places(stretches_of(p for o in odd.values() for p in o.missing), read.total),
        last_stage=places(
            [(lacking + 1, read.total), *stretches_of(p for column in last for p in odd[column.id].missing)],
            read.total,
        ),
    )


def _lowest(column: Column) -> int:
    """Up to here its revisions are applied, as far as anything is known."""
    return 0 if column.lag is None or column.never_read else column.position


def _highest(column: Column, total: int) -> int:
    """Above here its revisions are pending for certain."""
    return total if column.lag is None or column.never_read else column.position


def _unusual(columns: Iterable[Column], odd: dict[int, Oddities]) -> Iterable[Stretch]:
    for column in columns:
        here = odd[column.id]
        yield from stretches_of((*here.other_bytes, *here.missing, *here.above))
        yield from stretches_of(place for place in column.stopped_at if place > column.position)
        if column.run_mark:
            yield column.run_covers


def read_matrix(
    service: Service,
    *,
    everything: bool = False,
    before: int | None = None,
    limit: int = 50,
    from_column: int = 0,
) -> Window:
    """What is not applied everywhere, or everything; at most MAX_ROWS × MAX_COLUMNS."""
    known = survey(service)
    columns = known.columns[from_column : from_column + MAX_COLUMNS]
    wanted = known.everything() if everything else known.not_applied()
    rows, older = read_rows(known, columns, wanted, before, limit)
    return Window(
        columns=columns,
        rows=rows,
        total=known.total,
        folded=0 if everything else len(known.applied),
        hidden_columns=len(known.columns) - len(columns),
        older=older,
    )


def read_rows(
    known: Survey, columns: Sequence[Column], wanted: Places, before: int | None = None, limit: int = 50
) -> tuple[tuple[Row, ...], int | None]:
    """The newest of the wanted places that are not newer than `before`, and where to go on; one query."""
    most = max(1, min(limit, MAX_ROWS))
    found = wanted.down_from(before or EVERYTHING, most + 1)
    return rows_at(known.service, columns, found[:most]), found[most] if len(found) > most else None


@cache
def _query() -> str:
    return (Path(__file__).parent / "matrix_rows.sql").read_text(encoding="utf-8")


def rows_at(service: Service, columns: Sequence[Column], positions: Sequence[int]) -> tuple[Row, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            _query(),
            {
                "service": service.pk,
                "environments": [column.id for column in columns],
                "positions": list(positions),
            },
        )
        return tuple(
            Row(revision_id, position, phase, schema_rev, _cells(columns, position, set(same), set(other)))
            for revision_id, position, phase, schema_rev, same, other in cursor.fetchall()
        )


def _cells(columns: Sequence[Column], position: int, same: set[int], other: set[int]) -> str:
    return "".join(_cell(column, position, same, other) for column in columns)


def _cell(column: Column, position: int, same: set[int], other: set[int]) -> str:
    applied = "A" if column.id in same else "D" if column.id in other else ""
    if column.run_id and (mark := _underway(column, position, bool(applied))):
        return mark
    return applied or _absent(column, position)


def _underway(column: Column, position: int, applied: bool) -> str:
    """What the newest run says about a place, beyond the receipts."""
    first, last = column.run_covers
    if column.run_mark and first <= position <= last and applied != column.run_up:
        return column.run_mark
    return "F" if position in column.stopped_at and not applied else ""


def _absent(column: Column, position: int) -> str:
    if column.never_read:
        return "U"
    return "O" if position <= column.position else "P"


def differences(rows: Sequence[Row], columns: Sequence[Column], named: int = 8) -> tuple[tuple[Row, str], ...]:
    """Each row that is not applied everywhere, in words."""
    return tuple((row, _in_words(row, columns, named)) for row in rows if row.cells.strip("A"))


def _in_words(row: Row, columns: Sequence[Column], named: int) -> str:
    places: dict[str, list[str]] = {}
    for character, column in zip(row.cells, columns, strict=True):
        places.setdefault(character, []).append(column.name)
    return "; ".join(_told(code, names, named) for code, names in places.items() if code != "A")


def _told(code: str, names: Sequence[str], named: int) -> str:
    rest = f" and {len(names) - named} more" if len(names) > named else ""
    return f"{CELLS[code]} on {', '.join(names[:named])}{rest}"


def names_at(service: Service, positions: Iterable[int]) -> dict[int, str]:
    """The revisions at some places, by place."""
    found = service.revisions.filter(position__in=set(positions)).order_by()
    return dict(found.values_list("position", "revision_id"))
