"""One look at the health of a place: what it said of itself, or why nobody knows."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from migrations_app.engine.errors import LockstepError
from migrations_app.health import judging, processes
from migrations_app.health.pools import worst
from migrations_app.health.processes import Connection, WebProcess
from migrations_app.outbound.address import Host
from migrations_app.outbound.asking import Answer, get

MISSED = "missed"
PATIENCE_S = 4.0
_STATUSES = (judging.HEALTHY, judging.DEGRADED, judging.UNHEALTHY)
_REDIS_S = 0.5
_LONGEST_REASON, _LONGEST_NOTE = 63, 300


@dataclass(frozen=True)
class Found:
    """`reason` is empty where it is healthy, and where nobody answered; then `note` says why."""

    status: str
    reason: str = ""
    saturation: float | None = None  # 0 to 1
    took_ms: int = 0
    note: str = ""


def look_at(url: str, hosts: Sequence[Host]) -> Found:
    """Ask a health address. It is missed when nobody answers in time, or with nothing that tells of health."""
    begun = time.monotonic()
    try:
        answer = get(url, hosts=hosts, timeout_s=PATIENCE_S)
    except LockstepError as failure:
        return Found(MISSED, note=failure.message[:_LONGEST_NOTE])
    return _heard(answer, round((time.monotonic() - begun) * 1000))


def _heard(answer: Answer, took_ms: int) -> Found:
    body = _json(answer)
    status = body.get("status")
    if status in _STATUSES:
        reason = _word(body.get("degraded_reason"))
        # A reason exists exactly where it is not healthy: the worse of the two is believed.
        if status == judging.HEALTHY and reason:
            status = judging.DEGRADED
        if status != judging.HEALTHY and not reason:
            reason = "no_reason_told"
        return Found(str(status), reason, _saturation(body), took_ms)
    if answer.status == 200:
        return Found(judging.HEALTHY, took_ms=took_ms)
    if answer.status >= 500:
        return Found(judging.UNHEALTHY, f"http_{answer.status}", took_ms=took_ms)
    return Found(MISSED, took_ms=took_ms, note=f"It answers {answer.status} and nothing about health.")


def look_at_itself(conn: Connection) -> Found:
    """From what each web process told of itself lately. Without one, nothing can be told."""
    begun = time.monotonic()
    told = processes.read(conn)
    if not told:
        return Found(MISSED, note="No web process told of itself lately.")
    facts = _facts(told)
    reason = judging.reason_of(facts)
    took = round((time.monotonic() - begun) * 1000)
    return Found(judging.status_of(reason), reason or "", facts.saturation, took)


def _facts(told: Sequence[WebProcess]) -> judging.Facts:
    """As the worst of them has it, and Redis as seen from here."""
    pool = worst(one.pool for one in told if one.pool is not None)
    open_ones = any(one.breaker.state == judging.OPEN for one in told)
    return judging.Facts(
        redis=_redis(),
        circuit=judging.OPEN if open_ones else judging.CLOSED,
        saturation=None if pool is None else pool.saturation,
        route_cache_degraded=any(one.route_cache.degraded for one in told),
    )


def _redis() -> str:
    if not settings.REDIS_URL:
        return judging.DISABLED
    client = Redis.from_url(settings.REDIS_URL, socket_timeout=_REDIS_S, socket_connect_timeout=_REDIS_S)
    try:
        client.ping()
    except RedisError:
        return judging.ERROR
    finally:
        client.close()
    return judging.OK


def _json(answer: Answer) -> Mapping[str, Any]:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _word(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return "".join(sign for sign in text if sign.isprintable())[:_LONGEST_REASON].strip()


def _saturation(body: Mapping[str, Any]) -> float | None:
    """None where it is not told, or is no share."""
    pool = body.get("database_pool")
    state = pool.get("state") if isinstance(pool, dict) else None
    value = state.get("saturation") if isinstance(state, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return None
    return float(value)
