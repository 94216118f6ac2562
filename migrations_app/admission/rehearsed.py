"""What rehearsals have to say before a run may start: that there is a fresh one, and what its way back loses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from migrations_app.admission.conditions import Condition
from migrations_app.engine.contract.plan import Direction
from migrations_app.fleet.production import is_called_production
from migrations_app.models import Environment, Revision
from migrations_app.rehearsals.freshness import Freshness, row_bound
from migrations_app.rehearsals.policy import needs_rehearsal
from migrations_app.statuses import Verdict

SHOWN = 5
_CODES = {"never": "not_rehearsed", "stale": "rehearsal_stale", "failed": "rehearsal_failed"}


def rehearsed(
    environment: Environment,
    direction: Direction,
    revisions: Sequence[Revision],
    known: Sequence[Freshness],
    *,
    consented: str = "",
) -> Iterator[Condition]:
    """`known` has an answer for each revision. What a fresh one found lost counts whatever the policy asks for."""
    if not revisions:
        return
    one_way = {one.revision_id for one in revisions if direction == "down" and not one.down_checksum}
    found = [one for one in known if one.revision_id not in one_way]  # those have a condition of their own
    if needs_rehearsal(environment, direction):
        yield from _not_fresh(environment, direction, found)
    if direction == "down":
        yield from _refused_on_the_clone(found)
        yield from _lossy(environment, losses_of(environment, revisions, known), consented)


def losses_of(
    environment: Environment, revisions: Sequence[Revision], known: Sequence[Freshness]
) -> tuple[tuple[str, str], ...]:
    """Revision and sentence of each thing that is lost on a way back, as rehearsals found it.

    On production that needs no rehearsal, what nobody rehearsed counts as lost if its down file takes or changes rows.
    """
    unseen = is_called_production(environment) and not needs_rehearsal(environment, "down")
    return tuple(
        (one.revision_id, sentence)
        for revision, one in zip(revisions, known, strict=True)
        for sentence in (*one.losses, *(_unseen(revision) if unseen and one.state != "fresh" else ()))
    )


def _unseen(revision: Revision) -> Iterator[str]:
    found = row_bound(revision)
    if found:
        yield f"Not known, as no rehearsal of it counts: its down file has {found}."


def losses_hash(losses: Sequence[tuple[str, str]]) -> str:
    """What a second person's consent is bound to."""
    return hashlib.sha256(json.dumps(losses).encode()).hexdigest()


def _not_fresh(environment: Environment, direction: Direction, found: Sequence[Freshness]) -> Iterator[Condition]:
    wanting = [one for one in found if one.state != "fresh"]
    for one in wanting[:SHOWN]:
        yield Condition(
            _CODES[one.state],
            f"{one.why} {environment.name} wants a fresh rehearsal to {'apply' if direction == 'up' else 'roll back'}.",
            "Somebody rehearses it; it takes a clone of the target, not the target itself."
            if one.state != "failed"
            else "Correct what failed on the clone, then rehearse again.",
        )
    if len(wanting) > SHOWN:
        yield Condition(
            "not_rehearsed",
            f"{len(wanting) - SHOWN} more revisions have no fresh rehearsal.",
            "Rehearse the whole plan.",
        )


def _refused_on_the_clone(found: Sequence[Freshness]) -> Iterator[Condition]:
    for one in found:
        if one.state == "fresh" and one.part is not None and one.part.verdict == Verdict.IRREVERSIBLE:
            message = (one.part.error or {}).get("message", "")
            yield Condition(
                "rollback_fails",
                f"Rolling back {one.revision_id} was refused on the clone: {message}",
                "Correct the down file and rehearse again, restore a backup, or repair it with a new revision.",
            )


def _lossy(environment: Environment, losses: Sequence[tuple[str, str]], consented: str) -> Iterator[Condition]:
    """Off production the person who asks confirms it; on production two people do."""
    if not losses or not is_called_production(environment) or consented == losses_hash(losses):
        return
    more = f" And {len(losses) - 1} more." if len(losses) > 1 else ""
    yield Condition(
        "lossy_rollback",
        f"Rolling back {losses[0][0]} loses something: {losses[0][1]}{more} {environment.name} is production.",
        "Ask for it with the environment's name and a reason; then a second person grants it.",
    )
