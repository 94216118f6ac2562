"""Web processes: their pools, breakers and kept pages. Each is told under its own name, for it counts for itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import Metric

from migrations_app.health.breaker import CLOSED, HALF_OPEN, OPEN
from migrations_app.health.processes import WebProcess
from migrations_app.metrics.telling import counter, gauge, which

_POOL = (
    ("connections", "Connections that a pool has", "size"),
    ("connections_max", "Connections that a pool has at most", "max_capacity"),
    ("connections_in_use", "Connections that are in use, or just being opened", "checked_out"),
    ("requests_waiting", "Requests that wait for a connection", "requests_waiting"),
    ("saturation", "How full a pool is, 0 to 1; 1 where requests wait", "saturation"),
)
_PROCESS = ("process",)
_MODES = ("l1+l2", "l1-only", "none")


def pools(processes: Sequence[WebProcess]) -> Iterator[Metric]:
    """A process that has no pool, or has not used it yet, has no figure."""
    used = [(one.name, one.pool) for one in processes if one.pool is not None]
    for name, told, field in _POOL:
        rows = [((process,), getattr(pool, field)) for process, pool in used]
        yield gauge(f"lockstep_pool_{name}", told, _PROCESS, rows)


def breakers(processes: Sequence[WebProcess]) -> Iterator[Metric]:
    yield gauge(
        "lockstep_breaker_state",
        "1 for the state that the circuit breaker is in, as it acts now",
        (*_PROCESS, "state"),
        [
            ((one.name, *state), on)
            for one in processes
            for state, on in which((CLOSED, HALF_OPEN, OPEN), one.breaker.state)
        ],
    )
    yield gauge(
        "lockstep_breaker_failures",
        "Failures among the last results that the circuit breaker goes by",
        _PROCESS,
        [((one.name,), one.breaker.failure_count) for one in processes],
    )


def route_caches(processes: Sequence[WebProcess]) -> Iterator[Metric]:
    caches = [(one.name, one.route_cache) for one in processes]
    yield gauge(
        "lockstep_route_cache_mode",
        "1 for how pages are kept: l1 in the process, l2 in Redis",
        (*_PROCESS, "mode"),
        [((name, *mode), on) for name, cache in caches for mode, on in which(_MODES, cache.mode)],
    )
    yield gauge(
        "lockstep_route_cache_pages",
        "Pages kept in the process",
        _PROCESS,
        [((name,), one.l1_size) for name, one in caches],
    )
    yield counter(
        "lockstep_route_cache_hits_total",
        "Pages that had been drawn already, since the process started",
        (*_PROCESS, "level"),
        [((name, level), hits) for name, one in caches for level, hits in (("l1", one.l1_hits), ("l2", one.l2_hits))],
    )
    yield counter(
        "lockstep_route_cache_misses_total",
        "Pages that had to be drawn, since the process started",
        _PROCESS,
        [((name,), one.misses) for name, one in caches],
    )
