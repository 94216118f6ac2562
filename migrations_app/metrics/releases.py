"""Releases by their stored status, and cutovers that are open. No gate is judged for a scrape."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count
from prometheus_client.core import Metric

from migrations_app.metrics.telling import each, gauge
from migrations_app.models import Cutover, ReleaseState
from migrations_app.statuses import CUTOVER_OPEN, ReleaseStatus

_STORED = tuple(status.value for status in ReleaseStatus if status != ReleaseStatus.READY)


def read() -> Iterator[Metric]:
    """Two queries."""
    states = ReleaseState.objects.order_by("status").values_list("status").annotate(Count("pk"))
    yield gauge("lockstep_releases", "Releases, by the status that is stored", ("status",), each(_STORED, dict(states)))
    cutovers = Cutover.objects.filter(status__in=sorted(CUTOVER_OPEN)).order_by("status")
    found = dict(cutovers.values_list("status").annotate(Count("pk")))
    yield gauge("lockstep_cutovers_open", "Cutovers that are not over", ("status",), each(sorted(CUTOVER_OPEN), found))
