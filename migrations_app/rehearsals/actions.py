"""The verbs on rehearsals. Each is one transaction: the change and its audit entry; a worker finds it by itself."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from migrations_app.audit.record import record
from migrations_app.engine.contract.plan import Direction
from migrations_app.engine.errors import Refused
from migrations_app.fleet.secrets import no_backup
from migrations_app.models import Environment, Rehearsal, Revision, Run
from migrations_app.models.rehearsal import Ground
from migrations_app.runs.planning import revisions_between
from migrations_app.statuses import OPEN, REHEARSAL_OPEN, RehearsalStatus


def request_rehearsal(
    *,
    environment: Environment,
    direction: str = "",
    to: str | None = None,
    by: User,
    reason: str = "",
    ground: str = Ground.TARGET,
) -> Rehearsal:
    """Queue a rehearsal of what is pending ("up") or of rolling back what is applied ("down").

    Without a direction: of what is pending, or if nothing is, of rolling back the newest revision. `to` as for a run;
    `ground` is of what the clone is made. Raises Refused.
    """
    with transaction.atomic():
        environment = (
            Environment.objects.select_for_update(of=("self",)).select_related("service").get(pk=environment.pk)
        )
        _refuse_ground(environment, ground)
        _refuse_while_busy(environment)
        way, revisions = _wanted(environment, direction, to)
        rehearsal = Rehearsal.objects.create(
            service_id=environment.service_id,
            environment=environment,
            direction=way,
            ground=ground,
            from_revision=environment.head_revision,
            to_revision=revisions[-1].revision_id if way == "up" else revisions[-1].parent,
            revisions=_bytes_of(environment, revisions),
            requested_by=by,
            reason=reason,
        )
        record(
            actor=by,
            action="rehearsal.request",
            object=f"rehearsal:{rehearsal.pk}",
            after={
                "service": environment.service.name,
                "environment": environment.name,
                "direction": way,
                "ground": str(ground),
                "revisions": len(revisions),
                "reason": reason,
            },
        )
    return rehearsal


def cancel_rehearsal(rehearsal: Rehearsal, *, by: User, reason: str = "") -> Rehearsal:
    """End a queued one, or one whose worker is gone, at once; ask one under way to stop between statements.

    Raises Refused("rehearsal_is_…").
    """
    with transaction.atomic():
        mine = Rehearsal.objects.filter(pk=rehearsal.pk)
        queued = mine.filter(status=RehearsalStatus.QUEUED).update(
            status=RehearsalStatus.CANCELLED, finished_at=Now(), version=F("version") + 1
        )
        orphan = mine.filter(status=RehearsalStatus.RUNNING, lease_until__lt=Now())
        queued = queued or orphan.update(
            status=RehearsalStatus.CANCELLED,
            finished_at=Now(),
            clone_uid=None,
            doing="",
            token=F("token") + 1,
            version=F("version") + 1,
        )
        running = mine.filter(status=RehearsalStatus.RUNNING, cancel_asked=False)
        if not queued and not running.update(cancel_asked=True, version=F("version") + 1):
            raise _cannot_cancel(rehearsal)
        record(actor=by, action="rehearsal.cancel", object=f"rehearsal:{rehearsal.pk}", after={"reason": reason})
    rehearsal.refresh_from_db()
    return rehearsal


def _wanted(environment: Environment, direction: str, to: str | None) -> tuple[Direction, Sequence[Revision]]:
    if direction not in ("", "up", "down"):
        raise _refused("unknown_direction", f"{direction!r} is no direction.", "Say up (apply) or down (roll back).")
    ways: tuple[Direction, ...] = ("down",) if direction == "down" else ("up",) if direction else ("up", "down")
    for way in ways:
        revisions = revisions_between(environment, way, None if way == "down" and not direction else to)
        if revisions:
            return way, revisions
    head = environment.head_revision or "no revision"
    raise _refused(
        "nothing_to_rehearse",
        f"{environment.name} stands at {head}; there is nothing to {'roll back' if direction == 'down' else 'apply'}.",
        "Upload a newer revision, or name another one.",
    )


def _bytes_of(environment: Environment, revisions: Sequence[Revision]) -> list[dict[str, str]]:
    """What the rehearsal is bound to, in the order of the plan."""
    columns = ("revision_id", "checksum", "down_checksum", "verify_checksum")
    names = [revision.revision_id for revision in revisions]
    rows = Revision.objects.filter(service_id=environment.service_id, revision_id__in=names).values(*columns)
    found = {row["revision_id"]: row for row in rows}
    return [found[name] for name in names]


def _refuse_ground(environment: Environment, ground: str) -> None:
    if ground not in Ground.values:
        raise _refused("unknown_ground", f"{ground!r} is nothing to rehearse on.", "Say target or backup.")
    if ground == Ground.BACKUP and not environment.backup_kind:
        raise no_backup(environment)


def _refuse_while_busy(environment: Environment) -> None:
    run = Run.objects.filter(environment=environment, status__in=OPEN).first()
    if run is not None:
        raise _refused(
            "run_in_progress",
            f"Run {run.pk} on {environment.name} is not finished, so its schema is about to change.",
            f"Run {run.pk} has to end, or be cancelled, first.",
        )
    other = Rehearsal.objects.filter(environment=environment, status__in=REHEARSAL_OPEN).first()
    if other is not None:
        raise _refused(
            "rehearsal_open",
            f"Rehearsal {other.pk} of {environment.name} is not finished.",
            "Wait for it, or cancel it.",
        )
    if environment.reconcile_note:
        raise _refused(
            "ledger_differs",
            f"The last comparison of {environment.name} with its target found: {environment.reconcile_note}",
            "Find out what happened to the target, then compare again.",
        )


def _cannot_cancel(rehearsal: Rehearsal) -> Refused:
    rehearsal.refresh_from_db()
    word = RehearsalStatus(rehearsal.status).label
    why = "A cancel was asked for already." if rehearsal.status in REHEARSAL_OPEN else f"The rehearsal is {word}."
    return Refused(f"rehearsal_is_{rehearsal.status}", why, not_done="Nothing was cancelled.")


def _refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done="No rehearsal was started.", next_step=next_step)
