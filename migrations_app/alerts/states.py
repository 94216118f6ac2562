"""How each rule stands, kept from one look to the next: what the page reads, and what goes on counting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from migrations_app.alerts.evaluating import Judged, share_of
from migrations_app.alerts.rules import Standing, Streak
from migrations_app.models import AlertState

_FIELDS = (
    "slot", "standing", "value", "limit", "sentence", "figures", "threshold_version", "since", "count", "counted_at",
)  # fmt: skip


def streaks() -> Mapping[tuple[str, int, str], Streak]:
    """By rule, place and share_of(). One query."""
    return {
        (row.rule, row.place, share_of(row.figures)): Streak(row.counted_at, row.since, row.count)
        for row in AlertState.objects.exclude(since=None)
        if row.counted_at is not None and row.since is not None
    }


def keep(judged: Iterable[Judged], slot: datetime) -> None:
    """Write over what stood there; a rule that is off, or whose place is gone, stands nowhere."""
    with transaction.atomic():
        known = {(row.rule, row.place): row for row in AlertState.objects.select_for_update()}
        rows = [_row(one, slot, known.pop((one.rule.key, one.place), None)) for one in judged]
        AlertState.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["rule", "place"], update_fields=list(_FIELDS)
        )
        for rule, place in known:
            AlertState.objects.filter(rule=rule, place=place).delete()


def _row(one: Judged, slot: datetime, before: AlertState | None) -> AlertState:
    """Where nothing can be told, what counted so far waits."""
    reading, row = one.reading, AlertState(rule=one.rule.key, place=one.place, slot=slot)
    row.standing, row.value, row.limit = reading.standing, reading.value, reading.limit
    row.sentence = reading.sentence[:500]
    row.figures, row.threshold_version = dict(one.threshold.figures), one.threshold.version
    if reading.standing != Standing.NO_DATA:
        row.since, row.count, row.counted_at = reading.since, int(reading.value or 0), slot
    elif before is not None:
        row.since, row.count, row.counted_at = before.since, before.count, before.counted_at
    return row
