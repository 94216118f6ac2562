"""Workers that have been heard of, and what they hold: read for the page, by the control database's clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from migrations_app.models import Environment, GateLook, Rehearsal, Run, WorkerProcess
from migrations_app.statuses import OPEN, REHEARSAL_OPEN

MOST = 200
NOTHING = timedelta(0)


@dataclass(frozen=True)
class Program:
    """`silent`: no beat for as long as a lease lasts."""

    name: str
    started_at: datetime
    beat_at: datetime
    silent: bool
    redis_ok: bool


@dataclass(frozen=True)
class Lease:
    """What a worker works at, and until when nobody else may. `kind`: run, rehearsal or check."""

    kind: str
    number: int
    about: str
    worker: str
    until: datetime | None
    over: bool


def list_programs() -> list[Program]:
    """Those that were heard of within a day, by their names."""
    lease = timedelta(seconds=settings.LOCKSTEP_LEASE_SECONDS)
    rows = WorkerProcess.objects.annotate(age=Now() - F("beat_at")).order_by("name")[:MOST]
    return [Program(row.name, row.started_at, row.beat_at, row.age > lease, row.redis_ok) for row in rows]


def list_leases() -> list[Lease]:
    """The one that ends first is the first."""
    return sorted((*_runs(), *_rehearsals(), *_looks()), key=lambda lease: str(lease.until))[:MOST]


_HELD = {"lease_until__isnull": False}
_LEFT = F("lease_until") - Now()


def _runs() -> Iterator[Lease]:
    for row in Run.objects.filter(status__in=OPEN, **_HELD).annotate(left=_LEFT).select_related("environment__service"):
        yield Lease("run", row.pk, _about(row.environment), row.worker, row.lease_until, row.left < NOTHING)


def _rehearsals() -> Iterator[Lease]:
    found = Rehearsal.objects.filter(status__in=REHEARSAL_OPEN, **_HELD).annotate(left=_LEFT)
    for row in found.select_related("environment__service"):
        yield Lease("rehearsal", row.pk, _about(row.environment), row.worker, row.lease_until, row.left < NOTHING)


def _looks() -> Iterator[Lease]:
    for row in GateLook.objects.filter(ended_at=None, **_HELD).annotate(left=_LEFT).select_related("release"):
        about = f"{row.gate_key}/{row.check_key} of {row.release.release_id}"
        yield Lease("check", row.pk, about, row.worker, row.lease_until, row.left < NOTHING)


def _about(environment: Environment) -> str:
    return f"{environment.service.name}/{environment.name}"
