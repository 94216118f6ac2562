"""Whether drift stops a run: where it was said to, and on production unless it was said not to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.utils import timezone

from migrations_app.admission.conditions import Condition
from migrations_app.engine.contract.plan import Direction
from migrations_app.fleet.production import is_called_production
from migrations_app.fleet.schema_now import schema_now
from migrations_app.fleet.schema_words import WAYS, ignored
from migrations_app.models import Environment, Revision, SchemaDrift
from migrations_app.permissions import who_may

# Where drift blocks because somebody said so, a schema that nobody has read for so long blocks too.
READ_WITHIN = timedelta(hours=24)


def schema_agrees(environment: Environment, direction: Direction, revisions: Sequence[Revision]) -> Iterator[Condition]:
    """Drift stops everything but the one revision that a person uploaded to end it.

    A schema that nobody knows blocks only where drift was said to block: on production it would stop every first run.
    """
    found, now = schema_now(environment), timezone.now()
    state, drift = found.state, found.drift
    said = state.drift_blocks if state else None
    blocks = is_called_production(environment) if said is None else said
    if drift is not None and blocks and not ignored(drift, now) and not ends_it(drift, direction, revisions):
        yield Condition(
            "drift",
            f"The schema of {environment.name} is not as its receipts left it. {drift.summary}",
            _way_out(drift, direction, revisions),
        )
    elif said and state is not None and (state.read_at is None or state.read_at < now - READ_WITHIN):
        yield Condition(
            "schema_unknown",
            f"Nobody has read the schema of {environment.name} for a day, so whether it drifted is unknown.",
            f"Have it read: that takes a role of {who_may('read_schema')}.",
        )


def ends_it(drift: SchemaDrift, direction: Direction, revisions: Sequence[Revision]) -> bool:
    """Alone, upwards, and with the bytes that a person uploaded for this very drift."""
    planned = [(one.revision_id, one.checksum) for one in revisions]
    return direction == "up" and bool(drift.way) and planned == [(drift.revision_id, drift.revision_checksum)]


def _way_out(drift: SchemaDrift, direction: Direction, revisions: Sequence[Revision]) -> str:
    takes = f"that takes a role of {who_may('decide_drift')}."
    if not drift.way:
        return (
            "Put the target right and have it read again, upload a revision that adopts it or takes it back, or have "
            f"the drift ignored or accepted: {takes}"
        )
    own = f"{drift.revision_id} {WAYS[drift.way]}"
    names = [one.revision_id for one in revisions]
    if direction == "down" or drift.revision_id not in names:
        return f"{own}, and may run: alone, as the next revision here. Or have the drift ignored or accepted: {takes}"
    at = names.index(drift.revision_id)
    if at:
        return (
            f"{own}, and may run alone; {names[0]}{' and others' if at > 1 else ''} would run before it on a schema "
            f"that nobody planned for. Have the drift ignored until they are through: {takes}"
        )
    if len(names) > 1:
        return f"{own}, and may run alone: run up to it and no further, then the rest."
    return f"{own}, but its up file has other bytes than were uploaded for the drift: upload them for it; {takes}"
