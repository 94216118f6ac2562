"""All that is read from the control database for one answer."""

from __future__ import annotations

from prometheus_client.core import Metric

from migrations_app.metrics import boots, chain, durations, receipts, releases, runs, schemas, workers

ROOM = (durations, runs, schemas, boots, receipts, chain, releases, workers)


def read() -> list[Metric]:
    """A fixed number of queries, however large the fleet is."""
    return [family for one in ROOM for family in one.read()]
