"""What is known of an environment's way back: how long it took on a clone, until when that counts, where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from migrations_app.models import Environment, Revision
from migrations_app.rehearsals.freshness import Freshness, freshness
from migrations_app.statuses import Verdict


@dataclass(frozen=True)
class WayBack:
    """`ms` and `until` are None unless every revision of the plan has a fresh rehearsal."""

    ms: int | None
    until: datetime | None


def way_back(found: Sequence[Freshness]) -> WayBack:
    """Over the revisions of a plan down."""
    ends = [one.until for one in found if one.until is not None]
    if not found or any(one.state != "fresh" for one in found) or len(ends) < len(found):
        return WayBack(None, None)
    return WayBack(sum(stage_ms(one, "down") for one in found), min(ends))


def stage_ms(one: Freshness, name: str) -> int:
    stages = one.part.stages if one.part is not None else ()
    return sum(int(stage["ms"]) for stage in stages if stage["name"] == name)


def point_of_no_return(environment: Environment) -> str:
    """The pending revision after which rolling back loses something or is over, in a sentence; empty: none pending."""
    pending = list(_pending(environment))
    found = freshness(environment, "up", pending)
    unknown = 0
    for revision, one in zip(pending, found, strict=True):
        if not revision.down_checksum:
            return f"{_once(revision)} cannot be rolled back any more: {revision.revision_id} has no down file."
        if one.state != "fresh" or one.part is None:
            unknown += 1
        elif one.part.verdict == Verdict.IRREVERSIBLE:
            return f"{_once(revision)} cannot be rolled back any more: on the clone the way back was refused."
        elif one.part.losses:
            return (
                f"{_once(revision)} can be rolled back only together with it, and that loses something: "
                f"{one.part.losses[0]['sentence']}"
            )
    if not pending:
        return ""
    if unknown:
        return f"Not known: {unknown} of {len(pending)} pending revisions have no fresh rehearsal."
    return "None among the pending revisions: on the clone each of them was rolled back without a loss."


def _once(revision: Revision) -> str:
    below = revision.parent or "the schema as it is now"
    return f"Once {revision.revision_id} is applied, {below}"


def _pending(environment: Environment) -> QuerySet[Revision]:
    """Without the scripts, which are large."""
    head = Revision.objects.filter(
        service_id=OuterRef("service_id"), revision_id=environment.head_revision or None
    ).values("position")[:1]
    chain = Revision.objects.filter(service_id=environment.service_id, position__gt=Coalesce(Subquery(head), 0))
    names = ("revision_id", "parent", "checksum", "down_checksum", "verify_checksum")
    return chain.order_by("position").only(*names)
