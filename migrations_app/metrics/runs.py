"""Runs: how those that are over ended, and what is open."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from migrations_app.metrics.telling import counter, each, gauge, one, rows_of
from migrations_app.statuses import CLAIMABLE, OPEN, TERMINAL, RunStatus

# Nearly all have succeeded, and no index finds those: they are what the others leave. One statement, so one moment.
_READ = """
SELECT status, count(*), COALESCE(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
  FROM migrations_app_run WHERE status = ANY(%(open)s) GROUP BY status
UNION ALL
SELECT status, count(*), 0 FROM migrations_app_run
 WHERE status IN ('cancelled', 'failed', 'rolled_back') GROUP BY status
UNION ALL
SELECT 'all', count(*), 0 FROM migrations_app_run
"""


def read() -> Iterator[Metric]:
    """One query."""
    found = {str(row[0]): (int(str(row[1])), float(str(row[2]))) for row in rows_of(_READ, {"open": sorted(OPEN)})}
    every, _ = found.pop("all")
    counts = {status: count for status, (count, _) in found.items()}
    counts[RunStatus.SUCCEEDED] = every - sum(counts.values())
    yield counter(
        "lockstep_revision_runs_total",
        "Runs that are over, since the installation began; no row is ever removed",
        ("outcome",),
        each(sorted(TERMINAL), counts),
    )
    yield gauge("lockstep_runs_open", "Runs that are not over", ("status",), each(sorted(OPEN), counts))
    yield one("lockstep_queue_depth", "Runs that wait for a worker", sum(counts.get(status, 0) for status in CLAIMABLE))
    yield one(
        "lockstep_queue_oldest_age_seconds",
        "Since the oldest run that waits for a worker was requested; 0 where none waits",
        max(found.get(status, (0, 0.0))[1] for status in CLAIMABLE),
    )
