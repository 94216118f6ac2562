"""One look at a target's whole schema, kept: taken by the clock, after each run and when a person asks.

It takes ACCESS SHARE for a moment, waits for nobody long, and writes nothing into the target. While a run is open
nothing is read: half a change is no schema.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models.functions import Now

from migrations_app.engine.errors import LockstepError
from migrations_app.fleet import judging
from migrations_app.fleet.contents import prune_contents, store_content
from migrations_app.fleet.schema_look import RUN_IN_PROGRESS, look, run_in_progress
from migrations_app.fleet.stored import locked
from migrations_app.models import Environment, Run, SchemaReading, SchemaState
from migrations_app.models.schema import Source
from migrations_app.statuses import OPEN

READ_EVERY = timedelta(minutes=10)
KEPT = 50  # readings of one environment
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

log = structlog.get_logger(__name__)


def take_reading(environment: Environment, *, source: Source) -> SchemaReading:
    """
    1. No run is open.
    2. Identity, newest receipt, every object, and the newest receipt once more.
    3. No run was opened meanwhile: its row is locked, as whoever requests a run locks it.
    4. The reading is kept and judged.

    Raises LockstepError; what went wrong with the target is noted as well.
    """
    before = _runs(environment)
    refuse_open_run(environment)
    state, _ = SchemaState.objects.get_or_create(environment=environment)
    try:
        found = look(environment, since=state.clean_at or _EPOCH)
    except LockstepError as failure:
        if failure.code != RUN_IN_PROGRESS:
            note_failure(environment, failure)
        raise
    content = store_content(found.objects)
    with transaction.atomic():
        stored = locked(environment)
        if _runs(stored) != before:
            raise run_in_progress(stored)
        reading = judging.keep(stored, found, content, source, due=READ_EVERY)
    if _forget_old(environment):
        prune_contents()
    return reading


def read_when_possible(environment: Environment, *, source: Source) -> SchemaReading | None:
    """The same for whoever has other things to do: what prevents it is noted, and the clock tries again."""
    try:
        return take_reading(environment, source=source)
    except LockstepError as failure:
        log.info("schema not read", environment=str(environment), source=source, code=failure.code)
        return None


def refuse_open_run(environment: Environment) -> None:
    """No service reads a schema that is changed in part."""
    if Run.objects.filter(environment=environment, status__in=OPEN).exists():
        raise run_in_progress(environment)


def note_failure(environment: Environment, failure: LockstepError) -> None:
    """What was read before stays, and is shown with its age."""
    SchemaState.objects.filter(environment=environment).update(
        tried_at=Now(), failure=failure.message[:500], due_at=Now() + READ_EVERY
    )


def _runs(environment: Environment) -> tuple[int, bool] | None:
    """Changes when a run is requested or ends."""
    newest = Run.objects.filter(environment_id=environment.pk).order_by("-id").values_list("pk", "status").first()
    return None if newest is None else (newest[0], newest[1] in OPEN)


def _forget_old(environment: Environment) -> int:
    kept = SchemaReading.objects.filter(environment=environment).order_by("-pk").values_list("pk", flat=True)
    oldest = kept[KEPT - 1 : KEPT].first()
    if oldest is None:
        return 0
    return SchemaReading.objects.filter(environment=environment, pk__lt=oldest).delete()[0]
