"""Who holds an advisory lock of a target: the first question of every recovery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

# Two-key locks carry objsubid 2; the keys are shown as oids, that is unsigned.
LOCK_HOLDER = """
SELECT l.pid, a.backend_start, a.state, a.query_start, coalesce(a.application_name, '') AS application,
       CASE WHEN a.state LIKE 'idle%%' THEN extract(epoch FROM clock_timestamp() - a.state_change)::float END AS idle_s
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.mode = 'ExclusiveLock' AND l.objsubid = 2
  AND l.classid = %s::bigint::oid AND l.objid = %s::bigint::oid
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass(frozen=True)
class Holder:
    """Start, state and `idle_s` are None when the holder is another role's session and may not be looked into."""

    pid: int
    backend_start: datetime | None
    state: str | None
    query_start: datetime | None
    application: str
    idle_s: float | None  # None while it runs a statement, too

    @property
    def sentence(self) -> str:
        """Who holds the lock, for the run's page."""
        doing = f", {self.state}" if self.state else ""
        since = f" since {self.query_start:%H:%M:%S} UTC" if self.query_start else ""
        return f"pid {self.pid} ({self.application or 'unnamed session'}{doing}{since}) holds it"


def lock_holder(conn: psycopg.Connection, k1: int, k2: int) -> Holder | None:
    """The session holding `pg_advisory_lock(k1, k2)` in this database, or None when it is free."""
    keys = [k1 & 0xFFFFFFFF, k2 & 0xFFFFFFFF]
    with conn.cursor(row_factory=class_row(Holder)) as cursor:
        return cursor.execute(LOCK_HOLDER, keys).fetchone()
