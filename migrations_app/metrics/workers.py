"""Worker processes and how long ago they were heard of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, F, Min, Q
from django.db.models.functions import Now
from prometheus_client.core import Metric

from migrations_app.metrics.telling import each, gauge
from migrations_app.models import WorkerProcess


def read() -> Iterator[Metric]:
    """One query."""
    alive = Q(age__lte=timedelta(seconds=settings.LOCKSTEP_LEASE_SECONDS))
    found = WorkerProcess.objects.annotate(age=Now() - F("beat_at")).aggregate(
        alive=Count("pk", filter=alive), silent=Count("pk", filter=~alive), newest=Min("age")
    )
    yield gauge(
        "lockstep_workers",
        "Workers that were heard of within a day; silent is one without a beat for as long as a lease lasts",
        ("state",),
        each(("alive", "silent"), found),
    )
    newest = found["newest"]
    yield gauge(
        "lockstep_worker_heartbeat_age_seconds",
        "Since the newest beat of any worker; not there where none was heard of within a day",
        (),
        [] if newest is None else [((), newest.total_seconds())],
    )
