"""Where every environment stands: its head, how far behind, and the one state that matters most about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from migrations_app.models import Environment, Revision, Run
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

    @property
    def state(self) -> str:
        """The first thing that is true in this order; unknown is never shown as fine."""
        if self.run_status in OPEN or self.run_status == RunStatus.FAILED:
            return self.run_status
        if self.reachability == Reachability.UNREACHABLE:
            return "unreachable"
        if self.reconcile_note:
            return "drift"
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


def standings(environments: QuerySet[Environment] | None = None) -> tuple[Standing, ...]:
    """One query: head and newest place in the chain, and the newest run, beside each environment."""
    chain = Revision.objects.filter(service_id=OuterRef("service_id"))
    newest_run = Run.objects.filter(environment_id=OuterRef("pk")).order_by("-id")
    last = chain.order_by("-position").values("position")[:1]
    rows = (
        (Environment.objects.all() if environments is None else environments)
        .select_related("service")
        .defer("dsn_sealed")
        .annotate(
            head_position=Subquery(chain.filter(revision_id=OuterRef("head_revision")).values("position")[:1]),
            last_position=Coalesce(Subquery(last), 0),
            newest_run_id=Subquery(newest_run.values("id")[:1]),
            newest_run_status=Subquery(newest_run.values("status")[:1]),
            newest_run_to=Subquery(newest_run.values("to_revision")[:1]),
        )
        .order_by("service__name", "order", "name")
    )
    return tuple(_standing(row, row.head_position, row.last_position) for row in rows)


def _standing(row: Environment, head_position: int | None, last_position: int) -> Standing:
    behind = last_position - head_position if head_position is not None else None
    return Standing(
        service=row.service.name,
        environment=row.name,
        stage=row.stage,
        region=row.region,
        order=row.order,
        head=row.head_revision,
        receipts=row.head_seq,
        behind=behind if row.head_revision else last_position,
        reachability=row.reachability,
        reachability_note=row.reachability_note,
        reconcile_note=row.reconcile_note,
        reconciled_at=row.reconciled_at,
        checked_at=row.checked_at,
        run_id=getattr(row, "newest_run_id", None),
        run_status=getattr(row, "newest_run_status", None) or "",
        run_to=getattr(row, "newest_run_to", None) or "",
    )


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
