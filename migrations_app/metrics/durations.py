"""How long revisions took, as their receipts say."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, groupby

from prometheus_client.core import HistogramMetricFamily, Metric

from migrations_app.metrics.telling import rows_of

BOUNDS_S = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)

# What is at a bound belongs below it, which width_bucket sees otherwise; milliseconds are whole.
_READ = """
SELECT s.name, e.name, took.direction, took.bucket, took.count, took.ms
  FROM (SELECT environment_id, direction, width_bucket(duration_ms - 1, %(bounds)s::bigint[]) AS bucket,
               count(*) AS count, sum(duration_ms)::float8 AS ms
          FROM migrations_app_ledgerentry WHERE duration_ms IS NOT NULL GROUP BY 1, 2, 3) took
  JOIN migrations_app_environment e ON e.id = took.environment_id
  JOIN migrations_app_service s ON s.id = e.service_id
 ORDER BY 1, 2, 3, 4
"""


def read() -> Iterator[Metric]:
    """One query."""
    family = HistogramMetricFamily(
        "lockstep_revision_duration_seconds",
        "How long a revision took in its target, by its receipt: each that ever came into the ledger",
        labels=("service", "environment", "direction"),
    )
    found = rows_of(_READ, {"bounds": [round(bound * 1000) for bound in BOUNDS_S]})
    for key, group in groupby(found, key=lambda row: row[:3]):
        counts, ms = [0] * (len(BOUNDS_S) + 1), 0.0
        for *_, bucket, count, took in group:
            counts[int(str(bucket))] = int(str(count))
            ms += float(str(took))
        names = (*(f"{float(bound)}" for bound in BOUNDS_S), "+Inf")
        family.add_metric([str(one) for one in key], list(zip(names, accumulate(counts), strict=True)), ms / 1000)
    yield family
