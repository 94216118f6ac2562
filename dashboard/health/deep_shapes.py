"""What /health/deep and the system status answer, field by field."""

from __future__ import annotations

from typing import Literal

from dashboard.health.shapes import (
    AlertsOut,
    BreakerOut,
    CacheOut,
    ChurnOut,
    ContractOut,
    Count,
    Moment,
    PolicyOut,
    PoolRuntimeOut,
    PoolStateOut,
    Rate,
    Reason,
    RecommendationOut,
    ResilienceOut,
    ResourceCacheOut,
    RouteCacheOut,
    Status,
    ThresholdsOut,
    Told,
)


class DatabaseCheckOut(Told):
    """`slow`: above 100 ms."""

    status: Literal["healthy", "slow", "error"]
    latency_ms: float | None
    pool: PoolStateOut | None
    pool_runtime: PoolRuntimeOut


class RedisCheckOut(Told):
    status: Literal["healthy", "error", "disabled"]
    latency_ms: float | None


class FreshnessOut(Told):
    """`stale`: not read for two minutes, or never."""

    freshness: Literal["fresh", "stale"]
    updated_at: Moment | None
    sys_date: Moment | None


class ChecksOut(Told):
    database: DatabaseCheckOut
    redis: RedisCheckOut
    circuit_breaker: BreakerOut
    cache: FreshnessOut
    route_cache: RouteCacheOut


class MetricsOut(Told):
    """Of the last 1000 queries of the process that answers; slow ones took longer than a second."""

    query_p50_ms: float | None
    query_p95_ms: float | None
    query_p99_ms: float | None
    query_count: Count
    slow_query_count: Count
    slow_query_rate: Rate
    worker_pid: int


class DeepOut(Told):
    status: Status
    degraded_reason: Reason
    resilience: ResilienceOut
    checks: ChecksOut
    metrics: MetricsOut
    warnings: list[str] | None = None


class DatabaseStateOut(Told):
    status: Literal["ok", "error"]
    error: str | None


class RedisStateOut(Told):
    status: Literal["ok", "error", "disabled"]
    enabled: bool


class CachesOut(Told):
    resource: ResourceCacheOut
    search: CacheOut


class CooldownOut(Told):
    active: bool
    remaining_seconds: Count


class RuntimeResilienceOut(Told):
    degraded_reason: Reason
    pool_runtime: PoolRuntimeOut
    pool_state: PoolStateOut | None
    route_cache: RouteCacheOut
    thresholds: ThresholdsOut
    alerts: AlertsOut
    restart_churn: ChurnOut
    policy_state: PolicyOut
    recovery_recommendation: RecommendationOut
    restart_cooldown: CooldownOut


class SystemOut(Told):
    database: DatabaseStateOut
    redis: RedisStateOut
    circuit_breaker: BreakerOut
    cache: CachesOut
    runtime_resilience: RuntimeResilienceOut
    runtime_contract: ContractOut
    single_port_bind: str
    worker_pid: int


class SystemMeta(Told):
    timestamp: Moment


class SystemStatusOut(Told):
    success: Literal[True]
    data: SystemOut
    meta: SystemMeta
