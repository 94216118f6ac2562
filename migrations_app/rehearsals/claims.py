"""Which worker may work on a rehearsal, by token and lease, as with runs; one that died starts from the beginning."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from migrations_app.audit.record import record
from migrations_app.engine.errors import LockstepError
from migrations_app.models import Rehearsal
from migrations_app.runs.claims import lease
from migrations_app.statuses import RehearsalStatus

TRIES = 3


@dataclass(frozen=True)
class Claim:
    """The right to work on a rehearsal until another claim takes a higher token, and the clone that belongs to it."""

    rehearsal_id: int
    token: int
    attempt: int
    clone: uuid.UUID


def claimable() -> Q:
    return Q(status=RehearsalStatus.QUEUED) | Q(status=RehearsalStatus.RUNNING, lease_until__lt=Now())


def due(limit: int = 5) -> list[int]:
    """Rehearsals that some worker should claim now, oldest first."""
    return list(Rehearsal.objects.filter(claimable()).order_by("id").values_list("pk", flat=True)[:limit])


def claim(rehearsal_id: int, worker: str) -> Claim | None:
    """Take it, or None when somebody else has it; what an earlier worker had found is forgotten with its clone."""
    with transaction.atomic():
        found = Rehearsal.objects.select_for_update(skip_locked=True).filter(claimable(), pk=rehearsal_id).first()
        if found is None:
            return None
        if found.attempt >= TRIES:
            end(Claim(found.pk, found.token, found.attempt, uuid.UUID(int=0)), RehearsalStatus.FAILED, _given_up())
            return None
        found.parts.all().delete()
        clone = uuid.uuid4()
        Rehearsal.objects.filter(pk=found.pk).update(
            status=RehearsalStatus.RUNNING,
            token=F("token") + 1,
            attempt=F("attempt") + 1,
            version=F("version") + 1,
            tally={},
            worker=worker,
            clone_uid=clone,
            doing="making the clone",
            started_at=found.started_at or Now(),
            lease_until=Now() + lease(),
            beat_at=Now(),
        )
    return Claim(found.pk, found.token + 1, found.attempt + 1, clone)


def beat(claim: Claim, **fields: object) -> bool | None:
    """Renew the lease; True when a cancel was asked for, None when another worker has taken over."""
    values: Mapping[str, object] = {"lease_until": Now() + lease(), "beat_at": Now(), **fields}
    mine = Rehearsal.objects.filter(pk=claim.rehearsal_id, token=claim.token, status=RehearsalStatus.RUNNING)
    if mine.update(**values) != 1:
        return None
    return mine.values_list("cancel_asked", flat=True).first()


def let_go(claim: Claim) -> None:
    """The worker is being shut down: another one may begin anew at once, and this try does not count."""
    mine = Rehearsal.objects.filter(pk=claim.rehearsal_id, token=claim.token, status=RehearsalStatus.RUNNING)
    mine.update(lease_until=Now(), attempt=F("attempt") - 1)


def end(claim: Claim, status: RehearsalStatus, failure: LockstepError | None = None) -> bool:
    """End it with its audit entry; False when another worker has taken over."""
    error = None if failure is None else error_of(failure)
    with transaction.atomic():
        mine = Rehearsal.objects.filter(pk=claim.rehearsal_id, token=claim.token, status=RehearsalStatus.RUNNING)
        ended = mine.update(
            status=status,
            error=error,
            doing="",
            lease_until=None,
            clone_uid=None,
            finished_at=Now(),
            version=F("version") + 1,
        )
        if ended == 1:
            record(
                actor=None,
                action=f"rehearsal.{status}",
                object=f"rehearsal:{claim.rehearsal_id}",
                after={"attempt": claim.attempt, "code": failure.code if failure else ""},
            )
    return ended == 1


def error_of(failure: LockstepError) -> dict[str, str]:
    return {
        "code": failure.code,
        "message": failure.message,
        "not_done": failure.not_done,
        "next_step": failure.next_step,
    }


def release_of_dead(worker: str) -> int:
    """End the lease of a worker process that is known to be dead."""
    return Rehearsal.objects.filter(worker=worker, status=RehearsalStatus.RUNNING).update(lease_until=Now())


def holders(machine: str) -> set[str]:
    """The worker processes of this machine that rehearsals name as theirs."""
    mine = Rehearsal.objects.filter(
        status=RehearsalStatus.RUNNING, worker__startswith=f"{machine}:", lease_until__gte=Now()
    )
    return set(mine.values_list("worker", flat=True))


def _given_up() -> LockstepError:
    return LockstepError(
        "workers_lost",
        f"The worker of this rehearsal went away {TRIES} times.",
        not_done="Nothing is known about the revisions, and nothing was done to the target.",
        next_step="Look into the workers' logs for what ends them, then rehearse again.",
    )
