"""Revisions × environments as strings: one character per cell, one row per revision, a window at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

from migrations_app.models import Environment, Revision, Service

MAX_ROWS, MAX_COLUMNS = 100, 80
EVERYTHING = 2**31 - 1

OTHER_BYTES = """
    SELECT DISTINCT r.revision_id, r.position
    FROM migrations_app_appliedrevision a
    JOIN migrations_app_environment e ON e.id = a.environment_id AND e.service_id = %s
    JOIN migrations_app_revision r ON r.service_id = %s AND r.revision_id = a.revision_id
    WHERE a.checksum <> r.checksum
    ORDER BY r.position DESC LIMIT %s"""

# What a character means. Any other character is a defect.
CELLS: dict[str, str] = {
    ".": "not applicable",
    "P": "pending",
    "R": "running",
    "W": "waiting",
    "A": "applied",
    "F": "failed",
    "D": "applied with other bytes",
    "O": "missing below the head",
    "U": "unknown",
}


@dataclass(frozen=True)
class Column:
    id: int
    name: str
    stage: str
    region: str
    head: str
    lag: int | None
    schema_rev: str


@dataclass(frozen=True)
class Row:
    revision_id: str
    position: int
    phase: str
    schema_rev: str
    cells: str


@dataclass(frozen=True)
class Window:
    """`folded` revisions are applied everywhere and not among the rows; `older` is the next anchor."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: int
    folded: int
    hidden_columns: int
    older: int | None
    differing: int


def read_matrix(
    service: Service,
    *,
    everything: bool = False,
    before: int | None = None,
    limit: int = 50,
    from_column: int = 0,
) -> Window:
    """
    1. Columns in the order of stage, region and name.
    2. The frontier: everything above the lowest head, and whatever was applied with other bytes.
    3. One aggregated string per revision.
    """
    all_columns = _columns(service)
    columns = all_columns[from_column : from_column + MAX_COLUMNS]
    total = Revision.objects.filter(service=service).aggregate(last=Max("position"))["last"] or 0
    floor, odd = _frontier(service, all_columns, total)
    limit = max(1, min(limit, MAX_ROWS))
    rows = _rows(service, columns, everything, floor, odd, before or EVERYTHING, limit + 1) if columns else ()
    differing = total - floor + sum(1 for _, position in odd if position <= floor)
    return Window(
        columns=columns,
        rows=rows[:limit],
        total=total,
        folded=0 if everything else total - differing,
        hidden_columns=len(all_columns) - len(columns),
        older=rows[limit - 1].position - 1 if len(rows) > limit else None,
        differing=differing,
    )


def _columns(service: Service) -> tuple[Column, ...]:
    head = Revision.objects.filter(service=service, revision_id=OuterRef("head_revision"))
    last = Revision.objects.filter(service=service).order_by("-position")
    environments = (
        Environment.objects.filter(service=service)
        .annotate(
            head_position=Subquery(head.values("position")[:1]),
            head_schema=Coalesce(Subquery(head.values("schema_rev")[:1]), Subquery(head.values("revision_id")[:0])),
            last_position=Coalesce(Subquery(last.values("position")[:1]), 0),
        )
        .values_list(
            "id", "name", "stage", "region", "head_revision", "order", "head_position", "head_schema", "last_position"
        )
    )
    rows = list(environments)
    rank: dict[str, int] = {}
    for row in rows:
        rank[row[2]] = min(rank.get(row[2], row[5]), row[5])
    rows.sort(key=lambda row: (rank[row[2]], row[2], row[5], row[3], row[1]))
    return tuple(
        Column(
            id=row[0],
            name=row[1],
            stage=row[2],
            region=row[3],
            head=row[4],
            lag=row[8] if not row[4] else None if row[6] is None else row[8] - row[6],
            schema_rev=row[7] or "",
        )
        for row in rows
    )


def _frontier(service: Service, columns: Sequence[Column], total: int) -> tuple[int, tuple[tuple[str, int], ...]]:
    """The place up to which all heads agree, and the revisions whose bytes differ from what was applied somewhere."""
    lags = [total if column.lag is None else column.lag for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(OTHER_BYTES, [service.pk, service.pk, MAX_ROWS])
        odd = tuple((str(revision_id), int(position)) for revision_id, position in cursor.fetchall())
    return total - max(lags, default=total), odd


@cache
def _query() -> str:
    return (Path(__file__).parent / "matrix.sql").read_text(encoding="utf-8")


def _rows(
    service: Service,
    columns: Sequence[Column],
    everything: bool,
    floor: int,
    odd: Sequence[tuple[str, int]],
    before: int,
    limit: int,
) -> tuple[Row, ...]:
    parameters: dict[str, Any] = {
        "service": service.pk,
        "environments": [column.id for column in columns],
        "everything": everything,
        "floor": floor,
        "odd": [revision_id for revision_id, _ in odd],
        "before": before,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_query(), parameters)
        return tuple(Row(*row) for row in cursor.fetchall())


def differences(window: Window, named: int = 8) -> tuple[tuple[Row, str], ...]:
    """Each row that is not the same everywhere, in words."""
    told: list[tuple[Row, str]] = []
    for row in window.rows:
        places: dict[str, list[str]] = {}
        for character, column in zip(row.cells, window.columns, strict=True):
            places.setdefault(character, []).append(column.name)
        if set(places) != {"A"}:
            told.append((row, "; ".join(_told(code, names, named) for code, names in places.items() if code != "A")))
    return tuple(told)


def _told(code: str, names: Sequence[str], named: int) -> str:
    rest = f" and {len(names) - named} more" if len(names) > named else ""
    return f"{CELLS[code]} on {', '.join(names[:named])}{rest}"
