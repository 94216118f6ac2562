"""What is known of an environment's way back: how long it took on a clone, until when that counts, where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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

    @property
    def start_by(self) -> datetime | None:
        """The last moment to start it if, at its rehearsed pace, it is to end while its rehearsals still count."""
        return None if self.until is None or self.ms is None else self.until - timedelta(milliseconds=self.ms)


@dataclass(frozen=True)
class NoReturn:
    """The pending revision after which rolling back loses something or is over; `revision_id` is empty for none known.

    `ahead` counts the pending revisions up to and with it; `ms` is how long applying these took on a clone.
    """

    sentence: str
    revision_id: str = ""
    ahead: int = 0
    ms: int | None = None  # None unless each of them has a fresh rehearsal


def way_back(found: Sequence[Freshness]) -> WayBack:
    """Over the revisions of a plan down."""
    ends = [one.until for one in found if one.until is not None]
    if not found or any(one.state != "fresh" for one in found) or len(ends) < len(found):
        return WayBack(None, None)
    return WayBack(sum(stage_ms(one, "down") for one in found), min(ends))


def stage_ms(one: Freshness, name: str) -> int:
    stages = one.part.stages if one.part is not None else ()
    return sum(int(stage["ms"]) for stage in stages if stage["name"] == name)


def point_of_no_return(environment: Environment, known: Sequence[Freshness] | None = None) -> NoReturn | None:
    """None where nothing is pending. `known` is the freshness of a plan up, and then it is about that plan alone."""
    pending = list(_pending(environment))
    if known is not None:
        pending = pending[: len(known)]
    found = freshness(environment, "up", pending) if known is None else known
    for number, (revision, one) in enumerate(zip(pending, found, strict=True), start=1):
        why = _no_way_back(revision, one)
        if why:
            return NoReturn(f"{_once(revision)} {why}", revision.revision_id, number, _ms_up(found[:number]))
    if not pending:
        return None
    unknown = sum(one.state != "fresh" for one in found)
    if unknown:
        return NoReturn(f"Not known: {unknown} of {len(pending)} pending revisions have no fresh rehearsal.")
    return NoReturn("None among the pending revisions: on the clone each of them was rolled back without a loss.")


def _no_way_back(revision: Revision, one: Freshness) -> str:
    """Why what stands below this revision cannot be rolled back once it is applied; empty where it can, or unknown."""
    if not revision.down_checksum:
        return f"cannot be rolled back any more: {revision.revision_id} has no down file."
    if one.state != "fresh" or one.part is None:
        return ""
    if one.part.verdict == Verdict.IRREVERSIBLE:
        return "cannot be rolled back any more: on the clone the way back was refused."
    if one.part.losses:
        return f"can be rolled back only together with it, and that loses something: {one.part.losses[0]['sentence']}"
    return ""


def _ms_up(found: Sequence[Freshness]) -> int | None:
    """One that was rehearsed backwards was applied only the second time."""
    if any(one.state != "fresh" for one in found):
        return None
    return sum(stage_ms(one, "up") or stage_ms(one, "again") for one in found)


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
