"""The same look with latencies and the times of queries, and the status of the whole system: for administrators."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from dashboard.health.deep_shapes import (
    CachesOut,
    ChecksOut,
    CooldownOut,
    DatabaseCheckOut,
    DatabaseStateOut,
    DeepOut,
    FreshnessOut,
    MetricsOut,
    RedisCheckOut,
    RedisStateOut,
    RuntimeResilienceOut,
    SystemMeta,
    SystemOut,
    SystemStatusOut,
)
from dashboard.health.document import (
    breaker_out,
    cache_out,
    contract_out,
    errors_of,
    pool_out,
    redis_enabled,
    resilience_out,
    resource_out,
    route_cache_out,
    runtime_out,
    told,
)
from dashboard.health.looking import Look
from dashboard.health.read_models import STALE_S
from dashboard.health.timing import timing
from migrations_app.health.judging import OK, reason_of, recommend, recommend_restart, status_of, warnings_of
from migrations_app.health.thresholds import thresholds

SLOW_MS = 100


def deep(look: Look) -> DeepOut:
    facts = look.facts()
    reason = reason_of(facts)
    return DeepOut.model_validate(
        {
            "status": status_of(reason),
            "degraded_reason": reason,
            "resilience": resilience_out(look, recommend(facts)),
            "checks": _checks(look),
            "metrics": _metrics(),
            "warnings": list(warnings_of(facts, thresholds())) or None,
        }
    )


def system_status(look: Look) -> SystemStatusOut:
    database = DatabaseStateOut(
        status="ok" if look.database else "error",
        error=None if look.database else errors_of(look)[0],
    )
    data = SystemOut(
        database=database,
        redis=RedisStateOut.model_validate({"status": look.redis, "enabled": redis_enabled()}),
        circuit_breaker=breaker_out(look),
        cache=CachesOut(resource=resource_out(look), search=cache_out(look.caches_enabled, look.caches)),
        runtime_resilience=_runtime(look),
        runtime_contract=contract_out(look),
        single_port_bind=look.restarts.contract.gunicorn_bind,
        worker_pid=os.getpid(),
    )
    return SystemStatusOut(success=True, data=data, meta=SystemMeta(timestamp=datetime.now(UTC).isoformat()))


def _runtime(look: Look) -> RuntimeResilienceOut:
    facts = look.facts()
    told_of = resilience_out(look, recommend_restart(facts))
    left = look.restarts.state.cooldown_remaining_s
    return RuntimeResilienceOut(
        degraded_reason=reason_of(facts),  # type: ignore[arg-type]
        pool_runtime=runtime_out(),
        pool_state=pool_out(look),
        route_cache=route_cache_out(look),
        thresholds=told_of.thresholds,
        alerts=told_of.alerts,
        restart_churn=told_of.restart_churn,
        policy_state=told_of.policy_state,
        recovery_recommendation=told_of.recovery_recommendation,
        restart_cooldown=CooldownOut(active=left > 0, remaining_seconds=left),
    )


def _checks(look: Look) -> ChecksOut:
    found, waiting = look.database, look.queue
    slow = found is not None and found.latency_ms > SLOW_MS
    return ChecksOut(
        database=DatabaseCheckOut(
            status="error" if found is None else "slow" if slow else "healthy",
            latency_ms=found.latency_ms if found else None,
            pool=pool_out(look),
            pool_runtime=runtime_out(),
        ),
        redis=RedisCheckOut.model_validate(
            {
                "status": "healthy" if look.redis == OK else look.redis,
                "latency_ms": waiting.latency_ms if waiting else None,
            }
        ),
        circuit_breaker=breaker_out(look),
        cache=_freshness(look),
        route_cache=route_cache_out(look),
    )


def _freshness(look: Look) -> FreshnessOut:
    found = look.caches
    fresh = found is not None and (look.at - found.updated_at).total_seconds() <= STALE_S
    return FreshnessOut(
        freshness="fresh" if fresh else "stale",
        updated_at=told(found.updated_at if found else None),
        sys_date=told(found.sys_date if found else None),
    )


def _metrics() -> MetricsOut:
    taken = timing()
    return MetricsOut(
        query_p50_ms=taken.p50_ms,
        query_p95_ms=taken.p95_ms,
        query_p99_ms=taken.p99_ms,
        query_count=taken.count,
        slow_query_count=taken.slow,
        slow_query_rate=taken.slow_rate,
        worker_pid=os.getpid(),
    )
