"""The ledger as a list: newest first, filtered, a window by key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from migrations_app.models import LedgerEntry

WINDOW = 50


@dataclass(frozen=True)
class Cursor:
    """The last row seen; the next window begins after it."""

    applied_at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.applied_at.isoformat()}~{self.id}"


def parse_cursor(value: str) -> Cursor | None:
    """A cursor from a URL; None for one that was tampered with."""
    moment, _, key = value.partition("~")
    try:
        parsed = datetime.fromisoformat(moment.replace(" ", "+"))
        return Cursor(parsed, int(key)) if parsed.tzinfo else None
    except ValueError:
        return None


@dataclass(frozen=True)
class HistoryFilter:
    service: str = ""
    environment: str = ""
    revision: str = ""
    operator: str = ""
    direction: str = ""
    superseded: bool = False  # with the rows of earlier beginnings, each marked
    after: Cursor | None = None

    @property
    def narrows(self) -> bool:
        return bool(self.service or self.environment or self.revision or self.operator or self.direction)


@dataclass(frozen=True)
class HistoryWindow:
    rows: tuple[LedgerEntry, ...]
    older: Cursor | None


def read_history(wanted: HistoryFilter, window: int = WINDOW) -> HistoryWindow:
    rows = list(_filtered(wanted)[: window + 1])
    shown = rows[:window]
    older = Cursor(shown[-1].applied_at, shown[-1].pk) if len(rows) > window else None
    return HistoryWindow(rows=tuple(shown), older=older)


def _filtered(wanted: HistoryFilter) -> QuerySet[LedgerEntry]:
    entries = LedgerEntry.objects.select_related("environment__service").order_by("-applied_at", "-id")
    if not wanted.superseded:
        entries = entries.standing()
    if wanted.service:
        entries = entries.filter(environment__service__name=wanted.service)
    if wanted.environment:
        entries = entries.filter(environment__name=wanted.environment)
    if wanted.revision:
        entries = entries.filter(revision_id__startswith=wanted.revision)
    if wanted.operator:
        entries = entries.filter(operator=wanted.operator)
    if wanted.direction:
        entries = entries.filter(direction=wanted.direction)
    if wanted.after:
        moment, key = wanted.after.applied_at, wanted.after.id
        entries = entries.filter(Q(applied_at__lt=moment) | Q(applied_at=moment, id__lt=key))
    return entries
