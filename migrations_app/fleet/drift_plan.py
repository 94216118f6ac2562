"""A revision that ends a drift: begun from a draft, finished and uploaded by a person, remembered by the drift.

Nothing is run from here. The drift is over once the revision has a receipt on the environment; until then drift
stops the runs that it stopped before, but not one of this revision alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from migrations_app.audit.record import record
from migrations_app.engine.contract.chain import name_order
from migrations_app.engine.errors import Refused
from migrations_app.fleet.drift import draft_adoption, draft_revert, refuse_other_drift, standing
from migrations_app.fleet.judging import PLANNED, shown
from migrations_app.fleet.revisions import put_revision
from migrations_app.fleet.schema_words import WAYS
from migrations_app.fleet.stored import locked, spoken
from migrations_app.models import AppliedRevision, Environment, Revision, SchemaDrift, Service
from migrations_app.models.schema import Way

_LEFT = re.compile(r"^[ \t]*-- TODO: ", re.MULTILINE)


@dataclass(frozen=True)
class Offer:
    """What a person begins with. `planned` are the bytes that were uploaded for the drift before, empty for none."""

    way: str
    revision_id: str
    up: str
    down: str
    todos: int
    found: str
    planned: str
    fixed: bool  # the id is that of the revision which was uploaded for it before, and stays


@dataclass(frozen=True)
class Finished:
    """What the person made of it, and what they looked at. No `down` makes the revision irreversible."""

    way: str  # one of WAYS
    revision_id: str
    up: str
    down: str | None
    found: str
    planned: str


def offer(environment: Environment, way: str) -> Offer:
    """The draft under a free id, or what was uploaded for this drift before. Raises Refused: `no_drift`,
    `baseline_unknown`."""
    drift = standing(environment)
    before = _uploaded(environment, drift)
    if before is not None and drift.way == way:
        up, down = before.up, before.down or ""
    else:
        drafted = draft_adoption(drift) if way == Way.ADOPT else draft_revert(drift)
        up, down = drafted.up, drafted.down
    if before is None:
        up = _parent_line(environment.service) + up
    return Offer(
        way=way,
        revision_id=before.revision_id if before else free_id(environment, way),
        up=up,
        down=down,
        todos=_left_to_do(up, down),
        found=drift.found_id,
        planned=drift.revision_checksum,
        fixed=before is not None,
    )


def plan_drift(*, environment: Environment, finished: Finished, by: User) -> SchemaDrift:
    """Store the revision and remember that it ends this drift; both or neither."""
    _refuse_unfinished(finished)
    with transaction.atomic():
        stored = locked(environment)
        drift = standing(stored)
        refuse_other_drift(stored, drift, finished.found)
        _refuse_other_plan(drift, finished)
        _refuse_taken(stored, drift, finished)
        put = put_revision(
            service=stored.service, revision_id=finished.revision_id, up=finished.up, down=finished.down, by=by
        )
        before = shown(drift)
        drift.state, drift.ignore_until, drift.way = PLANNED[finished.way], None, finished.way
        drift.revision_id, drift.revision_checksum = put.revision.revision_id, put.revision.checksum
        drift.planned_by, drift.planned_at = by, timezone.now()
        drift.save()
        record(actor=by, action=f"drift.{finished.way}", object=spoken(stored), before=before, after=shown(drift))
    return drift


def free_id(environment: Environment, way: str) -> str:
    """The next number in the width of the newest, so that it sorts behind every revision of the service."""
    newest = _last_by_name(environment.service)
    digits = newest.partition("_")[0] or "0000"
    return f"{name_order(newest)[0] + 1:0{len(digits)}d}_{way}_drift_of_{environment.name.replace('-', '_')}"


def settled_by(revision: Revision) -> tuple[SchemaDrift, ...]:
    """The drifts that this revision was uploaded for, with their environments, newest first."""
    drifts = SchemaDrift.objects.filter(environment__service_id=revision.service_id, revision_id=revision.revision_id)
    return tuple(drifts.exclude(way="").select_related("environment", "planned_by")[:20])


def _uploaded(environment: Environment, drift: SchemaDrift) -> Revision | None:
    """What was uploaded for it before and is applied nowhere: its bytes may still change, its id stays in the chain."""
    if not drift.revision_id:
        return None
    applied = AppliedRevision.objects.filter(
        environment__service_id=environment.service_id, revision_id=drift.revision_id
    )
    if applied.exists():
        return None
    return Revision.objects.filter(service_id=environment.service_id, revision_id=drift.revision_id).first()


def _last_by_name(service: Service) -> str:
    names = Revision.objects.filter(service=service).values_list("revision_id", flat=True)
    return max(names, key=name_order, default="")


def _parent_line(service: Service) -> str:
    """Only where name order would not put it behind the head of the chain."""
    head = Revision.objects.filter(service=service).order_by("-position").values_list("revision_id", flat=True).first()
    return f"-- lockstep: parent {head}\n" if head and head != _last_by_name(service) else ""


def _left_to_do(*texts: str) -> int:
    return sum(len(_LEFT.findall(text)) for text in texts)


def _refuse_unfinished(finished: Finished) -> None:
    left = _left_to_do(finished.up, finished.down or "")
    if left:
        raise Refused(
            "draft_unfinished",
            f"The draft is not finished: TODO still stands in it {'once' if left == 1 else f'{left} times'}.",
            not_done="Nothing was stored.",
            next_step="Write each as SQL, or take its remark away where nothing has to be done.",
        )


def _refuse_other_plan(drift: SchemaDrift, finished: Finished) -> None:
    """Whoever comes second has not seen what the first one uploaded."""
    if drift.revision_checksum == finished.planned:
        return
    who = f" by {drift.planned_by.get_username()}" if drift.planned_by else ""
    raise Refused(
        "drift_planned",
        f"{drift.revision_id} was uploaded meanwhile{who}: it {WAYS[drift.way]}."
        if drift.way
        else "The revision that was uploaded for this drift does not count for it any more.",
        not_done="Nothing was stored.",
        next_step="Look at the drift again; that revision can be changed while it is applied nowhere.",
    )


def _refuse_taken(environment: Environment, drift: SchemaDrift, finished: Finished) -> None:
    """A revision of that id must be this drift's own. The service's row is locked, as whoever uploads locks it."""
    Service.objects.select_for_update().get(pk=environment.service_id)
    own = _uploaded(environment, drift)
    if own is not None and own.revision_id != finished.revision_id:
        raise Refused(
            "drift_planned",
            f"{own.revision_id} was uploaded for this drift and stands in the chain.",
            not_done="Nothing was stored.",
            next_step=f"Upload it under that id, which replaces the bytes of {own.revision_id}.",
        )
    taken = Revision.objects.filter(service_id=environment.service_id, revision_id=finished.revision_id).exists()
    if own is None and taken:
        raise Refused(
            "revision_taken",
            f"{finished.revision_id} is a revision of {environment.service.name} already, and not one of this drift.",
            not_done="Nothing was stored.",
            next_step=f"Give it another id; {free_id(environment, finished.way)} is free.",
        )
