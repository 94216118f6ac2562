"""Looks are kept by their slot of 15 s, read with their gaps, and summed up when five minutes are over.

A slot without a look is a missed one: whoever should have looked was not there. Times are those of the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.db import connection

from migrations_app.alerts.looks import MISSED, Found
from migrations_app.alerts.rules import Sample

SLOT = timedelta(seconds=15)
KEPT_DAYS, KEPT_BUCKETS_DAYS = 7, 90

_KEEP = """
INSERT INTO migrations_app_healthsample (place, slot, status, reason, saturation, took_ms, note)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (place, slot) DO NOTHING
"""
# Of each place from its first look on; the slot that has not ended is no gap yet.
_READ = """
SELECT p.place, s.slot, h.reason, h.saturation, h.status IS NULL OR h.status = %(missed)s
  FROM (SELECT place, min(slot) AS first FROM migrations_app_healthsample
         WHERE place = ANY(%(places)s) AND slot BETWEEN %(since)s AND %(until)s GROUP BY place) AS p
 CROSS JOIN LATERAL generate_series(p.first, least(%(until)s, clock_timestamp()), '15 s') AS s (slot)
  LEFT JOIN migrations_app_healthsample h ON h.place = p.place AND h.slot = s.slot AND h.slot >= %(since)s
 WHERE h.slot IS NOT NULL OR s.slot + interval '15 s' <= clock_timestamp()
 ORDER BY p.place, s.slot
"""
# From the newest bucket on, so that it does not matter when it was last done.
_SUM_UP = """
INSERT INTO migrations_app_healthbucket (place, begins, looks, degraded, reason, saturation, took_ms)
SELECT place, date_bin('5 min', slot, 'epoch') AS bucket,
       count(*) FILTER (WHERE status <> %(missed)s), count(*) FILTER (WHERE reason <> ''),
       coalesce(mode() WITHIN GROUP (ORDER BY reason) FILTER (WHERE reason <> ''), ''),
       max(saturation), max(took_ms) FILTER (WHERE status <> %(missed)s)
  FROM migrations_app_healthsample
 WHERE slot >= coalesce((SELECT max(begins) FROM migrations_app_healthbucket), '-infinity')
   AND slot < date_bin('5 min', clock_timestamp(), 'epoch')
 GROUP BY place, bucket
    ON CONFLICT (place, begins) DO UPDATE
   SET (looks, degraded, reason, saturation, took_ms) =
       (excluded.looks, excluded.degraded, excluded.reason, excluded.saturation, excluded.took_ms)
 WHERE migrations_app_healthbucket.looks < excluded.looks
"""
_DAYS = """
SELECT to_char(day AT TIME ZONE 'UTC', 'YYYYMMDD'), day, day + interval '1 day'
  FROM generate_series(0, 1) AS n,
       LATERAL (SELECT date_bin('1 day', clock_timestamp(), 'epoch') + n * interval '1 day') AS d (day)
 WHERE to_regclass('migrations_app_healthsample_' || to_char(day AT TIME ZONE 'UTC', 'YYYYMMDD')) IS NULL
"""
_OLD = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
 WHERE i.inhparent = 'migrations_app_healthsample'::regclass
   AND c.relname < 'migrations_app_healthsample_'
                   || to_char((clock_timestamp() - %s * interval '1 day') AT TIME ZONE 'UTC', 'YYYYMMDD')
"""


def current_slot() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT date_bin('15 s', clock_timestamp(), 'epoch')")
        slot: datetime = cursor.fetchone()[0]
    return slot


def keep(slot: datetime, found: Mapping[int, Found]) -> None:
    """By place. What was kept for the slot already stays: two who looked are one look."""
    rows = [
        (place, slot, one.status, one.reason, one.saturation, one.took_ms, one.note)
        for place, one in sorted(found.items())
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_KEEP, rows)


def read(places: Iterable[int], since: datetime, until: datetime) -> dict[int, tuple[Sample, ...]]:
    """The slots from `since` to `until`, oldest first, each once. One query.

    A place where nobody looked in that time is left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"places": list(places), "since": since, "until": until, "missed": MISSED})
        rows = cursor.fetchall()
    return {
        place: tuple(Sample(slot, reason or "", saturation, missed) for _, slot, reason, saturation, missed in found)
        for place, found in groupby(rows, key=itemgetter(0))
    }


def prepare_days() -> None:
    """A partition for today and for tomorrow, by UTC."""
    with connection.cursor() as cursor:
        cursor.execute(_DAYS)
        for name, begins, ends in cursor.fetchall():
            _create(name, begins, ends)


def sum_up() -> None:
    """The five minutes that are over."""
    with connection.cursor() as cursor:
        cursor.execute(_SUM_UP, {"missed": MISSED})


def forget() -> None:
    """Days and buckets that are older than they are kept."""
    with connection.cursor() as cursor:
        cursor.execute(_OLD, [KEPT_DAYS])
        _drop(name for (name,) in cursor.fetchall())
        cursor.execute(
            "DELETE FROM migrations_app_healthbucket WHERE begins < clock_timestamp() - %s * interval '1 day'",
            [KEPT_BUCKETS_DAYS],
        )


def _create(name: str, begins: datetime, ends: datetime) -> None:
    """The moments are of the database, so nobody's text is in the statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS migrations_app_healthsample_{name} PARTITION OF migrations_app_healthsample"
            f" FOR VALUES FROM ('{begins.isoformat()}') TO ('{ends.isoformat()}')"
        )


def _drop(names: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(name)}")
