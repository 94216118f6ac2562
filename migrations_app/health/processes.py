"""What web processes tell of themselves: written by each every few seconds, ignored when it is old, then removed.

Through whatever connection it is given, for a process writes while its pool is full.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psycopg

from migrations_app.health.breaker import BreakerState
from migrations_app.health.pools import PoolState

EVERY_S = 5
YOUNG_S = 15
KEPT_S = 600

Connection = psycopg.Connection[Any]

_PUBLISH = """
INSERT INTO migrations_app_webprocess AS p
       (name, worker_pid, started_at, sampled_at, pool, breaker, route_cache, contract)
VALUES (%(name)s, %(worker_pid)s, %(started_at)s, clock_timestamp(), %(pool)s::jsonb, %(breaker)s::jsonb,
        %(route_cache)s::jsonb, %(contract)s)
    ON CONFLICT (name) DO UPDATE SET (worker_pid, started_at, sampled_at, pool, breaker, route_cache, contract) =
       (excluded.worker_pid, excluded.started_at, excluded.sampled_at, excluded.pool, excluded.breaker,
        excluded.route_cache, excluded.contract)
"""
_REMOVE_OLD = "DELETE FROM migrations_app_webprocess WHERE sampled_at < clock_timestamp() - %s * interval '1 s'"
_REMOVE = "DELETE FROM migrations_app_webprocess WHERE name = %s"
_READ = """
SELECT name, worker_pid, started_at, sampled_at, pool::text, breaker::text, route_cache::text, contract
  FROM migrations_app_webprocess
 WHERE sampled_at > clock_timestamp() - %s * interval '1 s' ORDER BY name
"""


@dataclass(frozen=True)
class RouteCache:
    """What a process drew and kept, counted since it started."""

    mode: str
    redis_expected: bool
    available: bool
    l1_size: int
    reads_total: int
    writes_total: int
    l1_hits: int
    l2_hits: int
    misses: int

    @property
    def degraded(self) -> bool:
        return self.redis_expected and self.mode != "l1+l2"


@dataclass(frozen=True)
class WebProcess:
    """`pool` None: it has none, or has not used it yet."""

    name: str
    worker_pid: int
    started_at: datetime
    sampled_at: datetime
    pool: PoolState | None
    breaker: BreakerState
    route_cache: RouteCache
    contract: str


def publish(conn: Connection, told: WebProcess) -> None:
    """`sampled_at` becomes the database's own moment."""
    pool = None if told.pool is None else {**told.pool.as_json(), "sampled_at": None}
    conn.execute(
        _PUBLISH,
        {
            "name": told.name,
            "worker_pid": told.worker_pid,
            "started_at": told.started_at,
            "pool": None if pool is None else json.dumps(pool),
            "breaker": json.dumps(told.breaker.as_json()),
            "route_cache": json.dumps(asdict(told.route_cache)),
            "contract": told.contract,
        },
    )
    conn.execute(_REMOVE_OLD, [KEPT_S])


def remove(conn: Connection, name: str) -> None:
    conn.execute(_REMOVE, [name])


def read(conn: Connection) -> tuple[WebProcess, ...]:
    """The young ones. A row that another release of Lockstep wrote in its own way is left out."""
    found = (_of(*row) for row in conn.execute(_READ, [YOUNG_S]))
    return tuple(one for one in found if one is not None)


def _of(
    name: str, pid: int, started: datetime, sampled: datetime, pool: str | None, breaker: str, cache: str, contract: str
) -> WebProcess | None:
    try:
        return WebProcess(
            name=name,
            worker_pid=pid,
            started_at=started,
            sampled_at=sampled,
            pool=None if pool is None else PoolState(**{**json.loads(pool), "sampled_at": sampled}),
            breaker=BreakerState(**json.loads(breaker)),
            route_cache=RouteCache(**json.loads(cache)),
            contract=contract,
        )
    except TypeError:
        return None
