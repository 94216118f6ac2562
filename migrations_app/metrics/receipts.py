"""Receipts in the targets against the ledger. What is found twice or changed has to be 0."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from migrations_app.fleet.ledger import agreement
from migrations_app.metrics.telling import one


def read() -> Iterator[Metric]:
    """One query."""
    found = agreement()
    for name, told, value in (
        ("environments", "Environments that are registered", found.environments),
        ("environments_unread", "Environments whose target was not read at the last try, or never", found.unknown),
        ("receipts", "Receipts that stood in the targets at their last comparison", found.receipts),
        ("ledger_entries", "Rows of the ledger that stand", found.ledger),
        ("duplicate_receipts", "Receipts of what was applied already: double effects; has to be 0", found.twice),
        ("misplaced_receipts", "Receipts out of the order of their chain; has to be 0", found.out_of_order),
        ("changed_receipts", "Receipts that are others in the target than in the ledger; has to be 0", found.changed),
    ):
        yield one(f"lockstep_{name}", told, value)
