"""What this web process tells of itself to the others."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from functools import cache

from django.conf import settings

from dashboard.health import pool
from dashboard.pages import shared
from dashboard.pages.kept_counts import COUNTS
from migrations_app.health.breaker import breaker
from migrations_app.health.processes import RouteCache, WebProcess
from migrations_app.watchdog.contract import fingerprint

_STARTED = datetime.now(UTC)


def this_process() -> WebProcess:
    now = datetime.now(UTC)
    return WebProcess(
        name=name(),
        worker_pid=os.getpid(),
        started_at=_STARTED,
        sampled_at=now,
        pool=pool.sample(now),
        breaker=breaker().state(),
        route_cache=route_cache(),
        contract=fingerprint(settings.RUNTIME_CONTRACT),
    )


def name() -> str:
    return f"{_host()}:{os.getpid()}"


def route_cache() -> RouteCache:
    return RouteCache(
        mode=shared.mode(),
        redis_expected=shared.expected(),
        available=shared.available(),
        l1_size=COUNTS.l1_size,
        reads_total=COUNTS.reads,
        writes_total=COUNTS.writes,
        l1_hits=COUNTS.l1_hits,
        l2_hits=COUNTS.l2_hits,
        misses=COUNTS.misses,
    )


@cache
def _host() -> str:
    return socket.gethostname()[:100]
