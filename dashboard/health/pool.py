"""How full this process's pool is, without touching it: one that nobody has used yet stays unmade."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.postgresql.base import DatabaseWrapper

from dashboard.pooled.patience import STATEMENT_S
from migrations_app.health.pools import PoolState

# What psycopg_pool does where settings say nothing.
_LIFETIME_S = 3600.0


def sample(at: datetime) -> PoolState | None:
    pool: Any = DatabaseWrapper._connection_pools.get(DEFAULT_DB_ALIAS)  # type: ignore[attr-defined]
    if pool is None:
        return None
    return PoolState.of(pool.get_stats(), pool.min_size, pool.max_size, os.getpid(), at)


def configured() -> dict[str, Any]:
    """What settings ask for, in the words that health uses; all zero where there is no pool."""
    options = settings.DATABASES[DEFAULT_DB_ALIAS]["OPTIONS"]
    given: dict[str, Any] = options.get("pool") or {}
    low, high = given.get("min_size", 0), given.get("max_size", 0)
    return {
        "pool_size": low,
        "max_overflow": high - low,
        "pool_timeout": float(given.get("timeout", 0)),
        "pool_recycle": float(given.get("max_lifetime", _LIFETIME_S)) if given else 0.0,
        "tcp_connect_timeout": float(options.get("connect_timeout", 0)),
        "retry_count": 1 if given else 0,
        "retry_delay": float(given.get("reconnect_timeout", 0)),
        "call_timeout_ms": int(STATEMENT_S * 1000) if given else 0,
        "health_pool_size": settings.HEALTH_CONNECTIONS,
        "health_max_overflow": 0,
        "health_pool_timeout": 0.5 if settings.HEALTH_CONNECTIONS else 0.0,
        "pool_exhausted_retry_after_seconds": settings.DB_POOL_EXHAUSTED_RETRY_AFTER_SECONDS,
    }
