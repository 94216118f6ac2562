"""Runs over time: counted by the database in at most sixty buckets, so that no list is ever cut off to draw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, DateTimeField, F, Func, Q, Value
from django.utils import timezone

from migrations_app.runs.listing import Person, RunFilter, filtered
from migrations_app.statuses import TERMINAL, RunStatus

MOST = 60
USUAL = timedelta(days=7)
ORIGIN = datetime(2020, 1, 6, tzinfo=UTC)  # a Monday, so that weeks begin as people expect
WIDTHS = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 5, 15, 30, 60, 180, 360, 720, 1440, 10_080, 43_200, 129_600, 525_600, 5_256_000)
)
_BAD = (RunStatus.FAILED, RunStatus.NEEDS_OPERATOR)


@dataclass(frozen=True)
class Bucket:
    start: datetime
    end: datetime
    total: int = 0
    bad: int = 0
    open: int = 0

    @property
    def well(self) -> int:
        return self.total - self.bad - self.open


@dataclass(frozen=True)
class Histogram:
    since: datetime
    until: datetime
    width: timedelta
    buckets: tuple[Bucket, ...]

    @property
    def total(self) -> int:
        return sum(bucket.total for bucket in self.buckets)

    @property
    def bad(self) -> int:
        return sum(bucket.bad for bucket in self.buckets)

    @property
    def most(self) -> Bucket:
        return max(self.buckets, key=lambda bucket: bucket.total)


def histogram(user: Person, wanted: RunFilter) -> Histogram:
    """Counted in one query. Without a time the last week is drawn."""
    until = wanted.until or timezone.now()
    since = min(wanted.since or until - USUAL, until)
    width = _width(until - since)
    counted = {
        start: Bucket(start, start + width, total, bad, unended)
        for start, total, bad, unended in _count(user, wanted, since, until, width)
    }
    starts = _starts(since, until, width)
    return Histogram(since, until, width, tuple(counted.get(start) or Bucket(start, start + width) for start in starts))


def _width(span: timedelta) -> timedelta:
    return next((width for width in WIDTHS if span / width < MOST - 1), WIDTHS[-1])


def _count(
    user: Person, wanted: RunFilter, since: datetime, until: datetime, width: timedelta
) -> list[tuple[datetime, int, int, int]]:
    runs = filtered(user, wanted).filter(created_at__gte=since, created_at__lt=until)
    return list(
        runs.annotate(
            bucket=Func(Value(width), F("created_at"), Value(ORIGIN), function="date_bin", output_field=DateTimeField())
        )
        .values("bucket")
        .annotate(
            total=Count("id"),
            bad=Count("id", filter=Q(status__in=_BAD)),
            unended=Count("id", filter=~Q(status__in=[*TERMINAL, *_BAD])),
        )
        .order_by("bucket")
        .values_list("bucket", "total", "bad", "unended")
    )


def _starts(since: datetime, until: datetime, width: timedelta) -> list[datetime]:
    """Every bucket of the span, the empty ones included."""
    first = ORIGIN + (since - ORIGIN) // width * width
    return [first + width * place for place in range((until - first) // width + 1)][: MOST + 1]
