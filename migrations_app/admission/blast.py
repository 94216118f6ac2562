"""How far a plan reaches, and so how much a person has to say before it starts.

Reversible or off production: one click. What cannot be undone: its objects are listed and confirmed; on production
its name is typed and a reason given. Pages enforce it against the very plan that was shown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from migrations_app.engine.contract.plan import Direction, PlannedRevision
from migrations_app.engine.sql.losing import loses
from migrations_app.fleet.production import is_production
from migrations_app.models import Environment, Revision


class Friction(StrEnum):
    CLICK = "click"
    CONFIRM = "confirm"
    TYPED = "typed"


@dataclass(frozen=True)
class Loss:
    """One thing that does not come back, and the revision that takes it."""

    revision_id: str
    what: str


@dataclass(frozen=True)
class Blast:
    friction: Friction
    production: bool
    losses: tuple[Loss, ...]
    fingerprint: str  # of the plan, where it would run, and what is asked of the person


def blast_of(
    environment: Environment,
    direction: Direction,
    revisions: Sequence[PlannedRevision],
    rehearsed: Sequence[tuple[str, str]] = (),
) -> Blast:
    """`rehearsed` is what rehearsals of the way back found lost: revision and sentence."""
    losses = (*_losses(environment, direction, revisions), *(Loss(one, what) for one, what in rehearsed))
    production = is_production(environment)
    friction = Friction.CLICK if not losses else Friction.TYPED if production else Friction.CONFIRM
    return Blast(friction, production, losses, _fingerprint(environment, direction, revisions, friction, losses))


def _losses(environment: Environment, direction: Direction, revisions: Sequence[PlannedRevision]) -> Iterator[Loss]:
    one_way = _without_down(environment, revisions) if direction == "up" else frozenset()
    for revision in revisions:
        if revision.revision_id in one_way:
            yield Loss(revision.revision_id, "no down file: it cannot be rolled back")
        for step in revision.steps:
            for statement in step.statements:
                if loses(statement):
                    yield Loss(revision.revision_id, statement.summary)


def _without_down(environment: Environment, revisions: Sequence[PlannedRevision]) -> frozenset[str]:
    names = [revision.revision_id for revision in revisions]
    one_way = Revision.objects.filter(
        service_id=environment.service_id, revision_id__in=names, down_script__isnull=True
    )
    return frozenset(one_way.values_list("revision_id", flat=True))


def _fingerprint(
    environment: Environment,
    direction: Direction,
    revisions: Sequence[PlannedRevision],
    friction: Friction,
    losses: Sequence[Loss],
) -> str:
    plan = {
        "environment": str(environment.uid),
        "direction": direction,
        "head": environment.head_revision,
        "revisions": [(revision.revision_id, revision.checksum, revision.up_checksum) for revision in revisions],
        "steps": [step.sha256 for revision in revisions for step in revision.steps],
        "friction": friction,
        "losses": [(loss.revision_id, loss.what) for loss in losses],
    }
    return hashlib.sha256(json.dumps(plan).encode()).hexdigest()
