"""The ledger as a list: newest first, filtered, a window by key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from migrations_app.models import Environment, LedgerEntry, Revision
from migrations_app.models.keyset import before

WINDOW = 50
CHUNK = 1000


@dataclass(frozen=True)
class Cursor:
    """The last row seen; the next window begins after it."""

    applied_at: datetime
    id: int

    @property
    def key(self) -> tuple[str, int]:
        """As it is written into an address."""
        return self.applied_at.isoformat(), self.id

    @classmethod
    def of(cls, key: Sequence[str | int]) -> Cursor:
        moment, number = key
        return cls(datetime.fromisoformat(str(moment)), int(number))


@dataclass(frozen=True)
class HistoryFilter:
    """What the URL asks for; empty means everything."""

    service: str = ""
    environment: str = ""
    revision: str = ""
    operator: str = ""
    direction: str = ""
    phase: str = ""
    since: datetime | None = None
    until: datetime | None = None
    anomalies: bool = False
    superseded: bool = False  # with the rows of earlier beginnings, each marked
    after: Cursor | None = None

    @property
    def narrows(self) -> bool:
        wider = {"superseded", "after"}
        return any(getattr(self, field.name) for field in fields(self) if field.name not in wider)


@dataclass(frozen=True)
class HistoryWindow:
    rows: tuple[LedgerEntry, ...]
    older: Cursor | None


def read_history(wanted: HistoryFilter, window: int = WINDOW) -> HistoryWindow:
    rows = list(_filtered(wanted)[: window + 1])
    shown = rows[:window]
    older = Cursor(shown[-1].applied_at, shown[-1].pk) if len(rows) > window else None
    return HistoryWindow(rows=tuple(shown), older=older)


def every_row(wanted: HistoryFilter, most: int) -> Iterator[LedgerEntry]:
    """The whole list, a window at a time: memory stays flat however long it is."""
    rows = _filtered(wanted)[:most]
    return rows.iterator(chunk_size=CHUNK)


def _filtered(wanted: HistoryFilter) -> QuerySet[LedgerEntry]:
    entries = LedgerEntry.objects.select_related("environment__service").order_by("-applied_at", "-id")
    if not (wanted.superseded or wanted.anomalies):
        entries = entries.standing()
    if wanted.service or wanted.environment:
        entries = entries.filter(environment_id__in=_places(wanted))
    if wanted.anomalies:
        entries = entries.filter(_anomaly())
    exact = {name: getattr(wanted, name) for name in ("operator", "direction", "phase") if getattr(wanted, name)}
    entries = entries.filter(**exact)
    if wanted.revision:
        entries = entries.filter(revision_id__startswith=wanted.revision)
    if wanted.since:
        entries = entries.filter(applied_at__gte=wanted.since)
    if wanted.until:
        entries = entries.filter(applied_at__lt=wanted.until)
    if wanted.after:
        entries = entries.filter(before(applied_at=wanted.after.applied_at, id=wanted.after.id))
    return entries


def _places(wanted: HistoryFilter) -> list[int]:
    """Looked up first: with their numbers at hand, rows are found in order of time."""
    places = Environment.objects.all()
    if wanted.service:
        places = places.filter(service__name=wanted.service)
    if wanted.environment:
        places = places.filter(name=wanted.environment)
    return list(places.values_list("pk", flat=True))


def _anomaly() -> Q:
    """Superseded, or applied with other bytes; the latter only where the last comparison found some."""
    same = Revision.objects.filter(
        service_id=OuterRef("environment__service_id"),
        revision_id=OuterRef("revision_id"),
        checksum=OuterRef("checksum"),
    )
    changed = list(Environment.objects.filter(found_changed__gt=0).values_list("pk", flat=True))
    return Q(superseded_at__isnull=False) | Q(~Exists(same), environment_id__in=changed, direction="up")
