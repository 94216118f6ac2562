"""The matrix's columns: each environment with its head, its lag and its newest run, in one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from django.db import connection

from migrations_app.fleet.places import Stretch
from migrations_app.models import Service
from migrations_app.models.environment import Reachability

_HELD = ("queued", "paused", "interrupted", "waiting_for_lock", "pausing")
_STOPPED = ("failed", "needs_operator")


@dataclass(frozen=True)
class Column:
    """`lag` is None when the head is no revision of the chain; then nothing about it is guessed."""

    id: int
    name: str
    stage: str
    region: str
    head: str
    receipts: int
    position: int  # of the head; 0 while there is none
    lag: int | None
    schema_rev: str
    behind_since: datetime | None  # when the first revision it lacks was uploaded
    never_read: bool
    reachable: bool
    note: str  # what the last comparison found wrong
    applied: int  # revisions of the chain that stand applied
    version: int  # grows when what is applied changes
    run_id: int | None
    run_mark: str  # R at work, B at work on the way back, W waiting, nothing
    run_up: bool
    run_covers: Stretch  # the places its run will change, as long as they are not changed yet
    stopped_at: tuple[int, ...]  # the places at which its run failed

    @property
    def has_holes(self) -> bool:
        """Something below the head is not applied, or something above it is."""
        return self.lag is not None and self.applied != self.position


@dataclass(frozen=True)
class Columns:
    """`chain` grows with each change of the revisions."""

    columns: tuple[Column, ...]
    total: int
    chain: int


@cache
def _query() -> str:
    return (Path(__file__).parent / "matrix_columns.sql").read_text(encoding="utf-8")


def read_columns(service: Service) -> Columns:
    """In the order of stage, region and name; one query, which answers a row without one for none."""
    with connection.cursor() as cursor:
        cursor.execute(_query(), {"service": service.pk})
        rows = cursor.fetchall()
    columns = tuple(_column(*row[:-1]) for row in rows if row[0] is not None)
    return Columns(columns, total=rows[0][-2], chain=rows[0][-1])


def _column(  # a row of the query, in its order
    id: int, name: str, stage: str, region: str, head: str, receipts: int, position: int | None,
    schema_rev: str | None, behind_since: datetime | None, never_read: bool, reachability: str, note: str,
    applied: int, version: int, run_id: int | None, status: str | None, direction: str | None,
    run_from: int, run_to: int, stopped_at: list[int], total: int,
) -> Column:  # fmt: skip
    place, up = position or 0, direction != "down"
    return Column(
        id=id,
        name=name,
        stage=stage,
        region=region,
        head=head,
        receipts=receipts,
        position=place,
        lag=total if not head else None if position is None else total - position,
        schema_rev=schema_rev or "",
        behind_since=behind_since,
        never_read=never_read,
        reachable=reachability != Reachability.UNREACHABLE,
        note=note,
        applied=applied,
        version=version,
        run_id=run_id,
        run_mark=_mark(status, up),
        run_up=up,
        run_covers=_covers(up, run_from, run_to, place),
        stopped_at=tuple(stopped_at),
    )


def _mark(status: str | None, up: bool) -> str:
    if not status or status in _STOPPED:
        return ""
    return "W" if status in _HELD else "R" if up else "B"


def _covers(up: bool, run_from: int, run_to: int, head: int) -> Stretch:
    """A run leads from one head to another; what it has done already shows in the receipts."""
    return (max(run_from, head) + 1, run_to) if up else (run_to + 1, min(run_from, head))
