"""Services that did not start."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from migrations_app.metrics.telling import counter
from migrations_app.models import BootFailure


def read() -> Iterator[Metric]:
    """One query."""
    rows = BootFailure.objects.order_by("phase", "reason").values_list("phase", "reason", "count")
    yield counter(
        "lockstep_bootstrap_failures_total",
        "Starts that were refused or given up, by the phase they ended in and their first reason",
        ("phase", "reason"),
        [((phase, reason), count) for phase, reason, count in rows],
    )
