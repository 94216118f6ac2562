"""One look at all that health tells of, kept for a few seconds: whoever asks meanwhile, or at once, gets the same.

The database and Redis are asked side by side, and neither is waited for longer than LOOK_S.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

import structlog
from django.conf import settings

from dashboard.health import database, memory, queue, read_models
from dashboard.health.database import DatabaseLook
from dashboard.health.line import Line, TooLong, result
from dashboard.health.memory import Memory
from dashboard.health.own import LOOK_S, Away
from dashboard.health.queue import NoRedis, QueueLook
from dashboard.health.read_models import ReadModels
from dashboard.health.this_process import this_process
from migrations_app.health.breaker import CLOSED, HALF_OPEN, OPEN, BreakerState
from migrations_app.health.judging import DISABLED, ERROR, OK, Facts
from migrations_app.health.pools import PoolState, worst
from migrations_app.health.processes import WebProcess
from migrations_app.health.restarts import Standing, standing

FOLLOWERS_S = LOOK_S + 0.05
# A look that waited in vain is good for a moment at least, or a crowd would wait one after another.
FAILED_S = 1.0
_WORSE = (CLOSED, HALF_OPEN, OPEN)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Look:
    """`database` and `queue` None: they do not answer, or there is no Redis. `own` is the process that looked."""

    at: datetime
    own: WebProcess
    database: DatabaseLook | None
    redis: str
    queue: QueueLook | None
    restarts: Standing
    memory: Memory
    caches_enabled: bool
    caches: ReadModels | None

    @property
    def scope(self) -> str:
        """What the pool and the breaker are the worst of."""
        return "max_over_processes" if self.database and self.database.processes is not None else "self"

    @property
    def processes(self) -> tuple[WebProcess, ...]:
        """Those that told of themselves lately, and this one as it is now."""
        others = (self.database.processes if self.database else None) or ()
        return (*(one for one in others if one.name != self.own.name), self.own)

    @property
    def pools(self) -> tuple[PoolState, ...]:
        return tuple(one.pool for one in self.processes if one.pool is not None)

    @property
    def pool(self) -> PoolState | None:
        return worst(self.pools)

    @property
    def breaker(self) -> BreakerState:
        states = [one.breaker for one in self.processes]
        return max(states, key=lambda one: (_WORSE.index(one.state), one.failure_count))

    def facts(self) -> Facts:
        pool = self.pool
        return Facts(
            database=OK if self.database else ERROR,
            redis=self.redis,
            circuit=self.breaker.state,
            saturation=None if pool is None else pool.saturation,
            route_cache_degraded=any(one.route_cache.degraded for one in self.processes),
            churn_exceeded=self.restarts.churn.exceeded,
            cooldown=self.restarts.state.cooldown_remaining_s > 0,
            restart_blocked=self.restarts.state.state == "blocked",
            cache_enabled=self.caches_enabled,
            cache_loaded=self.caches is not None,
        )


@dataclass
class _Memo:
    lock: Lock = field(default_factory=Lock)
    redis: Line = field(default_factory=lambda: Line("health-redis"))
    look: Look | None = None
    at: float = float("-inf")
    under_way: Future[Look] | None = None


_memo = _Memo()


def current() -> Look:
    """One that is young enough, or that somebody is taking right now, or a new one."""
    with _memo.lock:
        if _memo.look is not None and time.monotonic() - _memo.at < _good_for(_memo.look):
            return _memo.look
        under_way, mine = _memo.under_way, Future[Look]()
        if under_way is None:
            _memo.under_way = mine
    if under_way is None:
        return _taken_for_all(mine)
    try:
        return result(under_way, FOLLOWERS_S)
    except TooLong:
        return _made(None, None)


def _good_for(look: Look) -> float:
    return max(settings.HEALTH_MEMO_TTL_SECONDS, 0.0 if look.database else FAILED_S)


def fresh() -> Look:
    """For who judges each one, such as alerts. It is kept for the others."""
    look = _take()
    with _memo.lock:
        _memo.look, _memo.at = look, time.monotonic()
    return look


def forget() -> None:
    with _memo.lock:
        _memo.look, _memo.at = None, float("-inf")


def _taken_for_all(mine: Future[Look]) -> Look:
    try:
        look = fresh()
        mine.set_result(look)
        return look
    except BaseException as failure:
        mine.set_exception(failure)
        raise
    finally:
        with _memo.lock:
            _memo.under_way = None


def _take() -> Look:
    until = time.monotonic() + LOOK_S
    asked = _memo.redis.begin(queue.look) if settings.REDIS_URL else None
    found = _ask_database()
    return _made(found, _answer(asked, until))


def _made(found: DatabaseLook | None, waiting: QueueLook | None) -> Look:
    return Look(
        at=datetime.now(UTC),
        own=this_process(),
        database=found,
        redis=OK if waiting else ERROR if settings.REDIS_URL else DISABLED,
        queue=waiting,
        restarts=standing(),
        memory=memory.read(),
        caches_enabled=read_models.enabled(),
        caches=read_models.kept(),
    )


def _ask_database() -> DatabaseLook | None:
    try:
        return database.look()
    except Away as away:
        logger.warning("health.database", cause=str(away))
        return None


def _answer(asked: Future[QueueLook] | None, until: float) -> QueueLook | None:
    if asked is None:
        return None
    try:
        return result(asked, max(0.0, until - time.monotonic()))
    except (NoRedis, TooLong) as failure:
        logger.warning("health.redis", cause=str(failure))
        return None
