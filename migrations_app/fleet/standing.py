"""Where every environment stands: its head, how far behind, and the one state that matters most about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from django.db import connection
from django.db.models import QuerySet

from migrations_app.models import Environment
from migrations_app.models.environment import Reachability
from migrations_app.statuses import OPEN, RunStatus


@dataclass(frozen=True)
class Standing:
    """`behind` is None when the head is not a revision of the chain; then nothing about it is guessed."""

    service: str
    environment: str
    stage: str
    region: str
    order: int
    head: str
    receipts: int
    behind: int | None
    reachability: str
    reachability_note: str
    reconcile_note: str
    reconciled_at: datetime | None
    checked_at: datetime | None
    run_id: int | None
    run_status: str
    run_to: str
    id: int = 0
    last_at: datetime | None = None  # when its newest receipt was written, by whom, which way
    last_by: str = ""
    last_direction: str = ""  # "down" where it rolled a revision back
    schema_drift: str = ""  # what differs from what its receipts left, one sentence; empty where nothing is known to

    @property
    def state(self) -> str:
        """The first thing that is true in this order; unknown is never shown as fine."""
        if self.run_status in OPEN or self.run_status == RunStatus.FAILED:
            return self.run_status
        if self.reachability == Reachability.UNREACHABLE:
            return "unreachable"
        if self.reconcile_note:
            return "drift"
        if self.schema_drift:
            return "schema_drift"
        if self.behind is None or self.reconciled_at is None:
            return "unknown"
        if self.behind:
            return "behind"
        return "in_step" if self.head else "empty"

    @property
    def words(self) -> str:
        """What the state chip says when it can say more than the state's own word."""
        if self.state == "behind":
            return f"{self.behind} behind"
        if self.state == "drift":
            return "Disagrees"
        if self.state == "unknown" and self.reconciled_at is None:
            return "Not checked"
        return ""


@cache
def _query() -> str:
    return (Path(__file__).parent / "standing.sql").read_text(encoding="utf-8")


def standings(environments: QuerySet[Environment] | None = None) -> tuple[Standing, ...]:
    """One query: head and newest place in the chain, the newest receipt and run, beside each environment."""
    wanted = (Environment.objects.all() if environments is None else environments).order_by().values("pk")
    which, values = wanted.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f'{_query()} WHERE e.id IN ({which}) ORDER BY s.name, e."order", e.name', values)
        return tuple(Standing(*row) for row in cursor.fetchall())


@dataclass(frozen=True)
class Reconciliation:
    """Ledger against targets, added up: what agrees, what does not, what nobody has looked at."""

    targets: int
    receipts: int
    disagree: tuple[Standing, ...]
    unreachable: int
    unchecked: int
    oldest: datetime | None

    @property
    def agrees(self) -> bool:
        return self.targets > 0 and not (self.disagree or self.unchecked or self.unreachable)


def reconciliation(rows: Iterable[Standing]) -> Reconciliation:
    everything = tuple(rows)
    checked = [row.reconciled_at for row in everything if row.reconciled_at]
    return Reconciliation(
        targets=len(everything),
        receipts=sum(row.receipts for row in everything),
        disagree=tuple(row for row in everything if row.reconcile_note),
        unreachable=sum(row.reachability == Reachability.UNREACHABLE for row in everything),
        unchecked=sum(row.reconciled_at is None for row in everything),
        oldest=min(checked, default=None),
    )
