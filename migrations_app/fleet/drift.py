"""What a person does about drift: look now, ignore it for a while, accept it, and say whether it blocks runs.

A target is never changed from here. What ends it by a revision stands in drift_plan.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.draft import Draft, draft
from migrations_app.fleet.contents import compare_contents, entries, with_definitions
from migrations_app.fleet.judging import shown, standing_drift
from migrations_app.fleet.readings import refuse_open_run, take_reading
from migrations_app.fleet.stored import locked, spoken
from migrations_app.models import Environment, SchemaContent, SchemaDrift, SchemaReading, SchemaState
from migrations_app.models.schema import DriftState, Known, Source
from migrations_app.reasons import require_reason

LONGEST_IGNORE = timedelta(days=30)
# Whether drift stops runs, as people say it; None is as the stage says.
POLICIES: dict[str, bool | None] = {"stage": None, "block": True, "let": False}
_NO_TABLES = frozenset({"domain", "composite type", "foreign table", "view", "materialized view"})


def look_now(*, environment: Environment, by: User) -> SchemaReading:
    """Read the schema because a person asks. Raises LockstepError: `run_in_progress`, or what the target says."""
    reading = take_reading(environment, source=Source.PERSON)
    with transaction.atomic():
        after = {"fingerprint": reading.content_id, "head": reading.head_revision, "agrees": reading.agrees}
        record(actor=by, action="schema.read", object=spoken(environment), after=after)
    return reading


def ignore_drift(*, environment: Environment, until: datetime, reason: str, by: User) -> SchemaDrift:
    """Leave it as it is until a date. It is open again when the date has come or anything else changes."""
    _check_reason(reason)
    now = timezone.now()
    if not now < until <= now + LONGEST_IGNORE:
        raise Refused(
            "bad_until",
            f"A drift can be ignored for {LONGEST_IGNORE.days} days at most, and not until a moment that has passed.",
            not_done="It was left open.",
            next_step="Give a date within that time.",
        )
    with transaction.atomic():
        stored = locked(environment)
        drift = standing(stored)
        before = shown(drift)
        drift.state, drift.ignore_until, drift.reason = DriftState.IGNORED, until, reason.strip()
        drift.decided_by, drift.decided_at = by, now
        drift.save()
        after = {**shown(drift), "until": until.isoformat(), "reason": drift.reason}
        record(actor=by, action="drift.ignore", object=spoken(stored), before=before, after=after)
    return drift


def accept_drift(*, environment: Environment, found: str, reason: str, by: User) -> SchemaDrift:
    """What was found is what is expected from now on, until the next receipt. `found` is what the person looked at."""
    _check_reason(reason)
    with transaction.atomic():
        stored = locked(environment)
        refuse_open_run(stored)
        drift = standing(stored)
        refuse_other_drift(stored, drift, found)
        before, now = shown(drift), timezone.now()
        drift.state, drift.ended_at, drift.reason = DriftState.ACCEPTED, now, reason.strip()
        drift.decided_by, drift.decided_at = by, now
        drift.save()
        state = SchemaState.objects.get(environment=stored)
        state.expected, state.expected_by, state.expected_since = found, Known.ACCEPTED, now
        state.clean_at = now
        state.save()
        SchemaReading.objects.filter(environment=stored, pk=state.reading_id or 0, content_id=found).update(agrees=True)
        after = {**shown(drift), "reason": drift.reason}
        record(actor=by, action="drift.accept", object=spoken(stored), before=before, after=after)
    return drift


def draft_adoption(drift: SchemaDrift) -> Draft:
    """SQL that makes of the expected schema what was found, and back: the beginning of a revision."""
    before, after = _sides(drift)
    return _drafted(before, after)


def draft_revert(drift: SchemaDrift) -> Draft:
    """The other way round: what puts the target right."""
    before, after = _sides(drift)
    return _drafted(after, before)


def set_policy(*, environment: Environment, blocks: bool | None, by: User) -> SchemaState:
    """Whether drift stops runs here; None is as its stage says."""
    with transaction.atomic():
        stored = locked(environment)
        state, _ = SchemaState.objects.get_or_create(environment=stored)
        before, state.drift_blocks = state.drift_blocks, blocks
        if before != blocks:
            state.save(update_fields=["drift_blocks"])
            record(
                actor=by,
                action="drift.policy",
                object=spoken(stored),
                before={"blocks": before},
                after={"blocks": blocks},
            )
    return state


def _sides(drift: SchemaDrift) -> tuple[SchemaContent, SchemaContent]:
    if drift.baseline is None:
        raise Refused(
            "baseline_unknown",
            "What the schema should be was never read, so no SQL can be drafted.",
            not_done="Nothing was drafted.",
            next_step="Compare with an environment that stands at the same revision, or accept what was found.",
        )
    return drift.baseline, drift.found


def _drafted(before: SchemaContent, after: SchemaContent) -> Draft:
    """With the columns of whole tables, which are told apart from the tables themselves."""
    kinds = {entry.name: entry.kind for side in (before, after) for entry in entries(side) if entry.kind in _NO_TABLES}
    differing = {(one.kind, one.name) for one in compare_contents(before, after)}
    old, new = (
        with_definitions(entry for entry in entries(side) if entry.key in differing) for side in (before, after)
    )
    return draft(old, new, kinds=kinds)


def standing(environment: Environment) -> SchemaDrift:
    """The drift that stands there. Raises Refused("no_drift")."""
    drift = standing_drift(environment)
    if drift is None:
        raise Refused(
            "no_drift",
            f"No drift is open on {environment.name}.",
            not_done="Nothing was changed.",
            next_step="Read its schema again if you know of one.",
        )
    return drift


def refuse_other_drift(environment: Environment, drift: SchemaDrift, found: str) -> None:
    """A decision counts for what the person looked at, and for nothing else."""
    if drift.found_id != found:
        raise Refused(
            "drift_differs",
            f"The schema of {environment.name} is not what was shown any more.",
            not_done="Nothing was decided about it.",
            next_step="Look at what differs now, then decide again.",
        )


def _check_reason(reason: str) -> None:
    require_reason(
        reason,
        "A decision about drift",
        not_done="The drift was left as it is.",
        next_step="Write who changed what, and why it may stay.",
    )
