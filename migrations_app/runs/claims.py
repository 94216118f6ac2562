"""Claims: which worker may work on a run, by token and lease, on the database's clock alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from migrations_app.models import Run
from migrations_app.runs.transitions import move
from migrations_app.statuses import ACTIVE, CLAIMABLE, RunStatus


@dataclass(frozen=True)
class Claim:
    """The right to work on a run until another claim takes a higher token."""

    run_id: int
    token: int
    attempt: int
    silent_s: float | None  # how long the earlier worker has been silent; None for a first claim
    lost: str = ""  # the worker that went away while it was at work on the run


def claimable() -> Q:
    """Queued or interrupted, or with a lease that ran out."""
    return Q(status__in=CLAIMABLE) | Q(status__in=ACTIVE, lease_until__lt=Now())


def due(limit: int = 20) -> list[int]:
    """Runs that some worker should claim now, oldest first."""
    return list(Run.objects.filter(claimable()).order_by("id").values_list("pk", flat=True)[:limit])


def lease() -> timedelta:
    return timedelta(seconds=settings.LOCKSTEP_LEASE_SECONDS)


def claim(run_id: int, worker: str) -> Claim | None:
    """Take the run, or None when somebody else has it or it needs no worker."""
    with transaction.atomic():
        run = Run.objects.select_for_update(skip_locked=True).filter(claimable(), pk=run_id).first()
        if run is None:
            return None
        silent = _silence(run)
        moved = move(
            run.pk,
            to=RunStatus.CLAIMED,
            token=run.token,
            fields={"worker": worker, "lease_until": Now() + lease(), "beat_at": Now(), "waiting": None},
        )
        if not moved:
            return None
        Run.objects.filter(pk=run.pk).update(
            token=run.token + 1, attempt=run.attempt + 1, started_at=run.started_at or Now()
        )
    return Claim(run.pk, run.token + 1, run.attempt + 1, silent, run.worker if run.status in ACTIVE else "")


def release_of_dead(worker: str) -> int:
    """End the lease of a worker process that is known to be dead, so that nobody waits for it to run out."""
    return Run.objects.filter(worker=worker, status__in=ACTIVE).update(lease_until=Now())


def holders(machine: str) -> set[str]:
    """The worker processes of this machine that runs name as theirs."""
    mine = Run.objects.filter(status__in=ACTIVE, worker__startswith=f"{machine}:", lease_until__gte=Now())
    return set(mine.values_list("worker", flat=True))


def _silence(run: Run) -> float | None:
    if run.beat_at is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp() - %s)", [run.beat_at])
        row = cursor.fetchone()
    return float(row[0])
