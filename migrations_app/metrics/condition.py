"""The installation as a whole: whether its database could be asked, what it is degraded by, and its version."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from migrations_app import __version__
from migrations_app.health.judging import CIRCUIT, DATABASE, POOL, REDIS, ROUTE_CACHE, Facts, reason_of
from migrations_app.metrics.telling import gauge, one, which

REASONS = (DATABASE, CIRCUIT, POOL, REDIS, ROUTE_CACHE)


def told(facts: Facts, *, up: bool) -> Iterator[Metric]:
    yield one(
        "lockstep_up", "1 where the control database was asked for this answer, 0 where it could not be", float(up)
    )
    yield gauge(
        "lockstep_degraded",
        "1 for the degraded_reason of /health, 0 for the others; all 0 is healthy",
        ("reason",),
        which(REASONS, reason_of(facts)),
    )
    yield gauge("lockstep_build_info", "Always 1: the version that answers", ("version",), [((__version__,), 1)])
