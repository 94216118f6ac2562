"""How things stand right now in one small query: what a list's ETag is made of, and whether wake-ups arrive."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from migrations_app.prepared import one_row
from migrations_app.statuses import ACTIVE, OPEN

# A worker process is taken for gone after so many silent looks.
MISSED_BEATS = 5

# Ended runs never change, so the open ones and the newest number tell whether any list would look different.
_PULSE = """
SELECT (SELECT coalesce(max(id), 0) FROM migrations_app_run), r.*, w.*
  FROM (SELECT count(*), coalesce(sum(id), 0), coalesce(sum(version), 0), max(beat_at),
               count(*) FILTER (WHERE status = ANY(%(active)s) AND beat_at < now() - %(silent)s * interval '1 s')
          FROM migrations_app_run
         WHERE status = ANY(%(open)s)) r,
       (SELECT count(*) FILTER (WHERE beat_at > now() - %(gone)s * interval '1 s'),
               count(*) FILTER (WHERE beat_at > now() - %(gone)s * interval '1 s' AND NOT redis_ok), max(beat_at)
          FROM migrations_app_workerprocess) w
"""


@dataclass(frozen=True)
class Pulse:
    newest: int  # the highest run number
    open: int
    key: str  # changes with anything that a list of runs shows
    workers: int  # heard of lately
    redis_away: bool  # as the workers found it; no page asks Redis itself
    heard_at: datetime | None  # when the last worker was heard of


def pulse() -> Pulse:
    given: dict[str, Any] = {
        "active": sorted(ACTIVE),
        "open": sorted(OPEN),
        "silent": silent_after(),
        "gone": gone_after(),
    }
    row = one_row(_PULSE, given)
    assert row is not None
    newest, count, *changing, alive, without_redis, heard = row
    told = repr((newest, count, *changing, alive, without_redis))
    return Pulse(
        newest=newest,
        open=count,
        key=hashlib.sha256(told.encode()).hexdigest()[:20],
        workers=alive,
        redis_away=without_redis > 0,
        heard_at=heard,
    )


def gone_after() -> float:
    """Seconds without a beat after which a worker process is taken for gone."""
    return settings.LOCKSTEP_RECONCILE_SECONDS * MISSED_BEATS + 5


def silent_after() -> float:
    """Two beats may be late; after that a worker is not taken for well any more."""
    return settings.LOCKSTEP_BEAT_SECONDS * 2
