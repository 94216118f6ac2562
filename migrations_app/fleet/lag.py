"""How long an environment has been behind, or in step: a count of revisions says nothing about time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from migrations_app.fleet.standing import Standing
from migrations_app.models import Environment, Revision


@dataclass(frozen=True)
class Lag:
    """At most one of the two is known: since when a revision waits, or since when none does."""

    waiting_since: datetime | None = None
    waiting: str = ""  # the revision that has waited longest
    in_step_since: datetime | None = None


def lag_of(environment: Environment, standing: Standing) -> Lag:
    """One query while it is behind, else none. A head that is no revision of the chain says nothing."""
    if standing.behind is None:
        return Lag()
    if not standing.behind:
        return Lag(in_step_since=standing.last_at)
    # Revisions are numbered without a gap, so the first one that waits is so many before the newest.
    chain = Revision.objects.filter(service_id=environment.service_id).order_by("-position")
    row = chain.values_list("created_at", "revision_id")[standing.behind - 1 : standing.behind]
    for created_at, revision_id in row:
        return Lag(waiting_since=created_at, waiting=revision_id)
    return Lag()
