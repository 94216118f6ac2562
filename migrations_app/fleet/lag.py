"""How long an environment has been behind, or in step: a count of revisions says nothing about time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from migrations_app.fleet.standing import Standing
from migrations_app.models import Environment, LedgerEntry, Revision


@dataclass(frozen=True)
class Lag:
    """At most one of the two is known: since when a revision waits, or since when none does."""

    waiting_since: datetime | None = None
    waiting: str = ""  # the first revision of the chain that waits
    went_back: bool = False  # it was applied before, and waits since it was rolled back
    in_step_since: datetime | None = None


def lag_of(environment: Environment, standing: Standing) -> Lag:
    """One query while it is behind, else none. A head that is no revision of the chain says nothing."""
    if standing.behind is None:
        return Lag()
    if not standing.behind:
        return Lag(in_step_since=standing.last_at)
    # Revisions are numbered without a gap, so the first one that waits is so many before the newest.
    chain = Revision.objects.filter(service_id=environment.service_id).order_by("-position")
    told = chain.values_list("created_at", "revision_id", Subquery(_rolled_back(environment)))
    for created_at, revision_id, rolled_back_at in told[standing.behind - 1 : standing.behind]:
        return Lag(waiting_since=rolled_back_at or created_at, waiting=revision_id, went_back=bool(rolled_back_at))
    return Lag()


def _rolled_back(environment: Environment) -> QuerySet[LedgerEntry, datetime]:
    """When the revision of the outer query left this environment the last time."""
    receipts = LedgerEntry.objects.filter(
        environment=environment, revision_id=OuterRef("revision_id"), direction="down", superseded_at=None
    )
    return receipts.order_by("-seq").values_list("applied_at", flat=True)[:1]
