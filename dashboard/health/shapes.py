"""What /health answers, field by field, and what the deeper answers share: published JSON schemas are made of these."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Moment = Annotated[str, Field(description="UTC, ISO 8601", pattern=r"\+00:00$")]
Rate = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServicesOut(Told):
    database: Literal["ok", "error"]
    redis: Literal["ok", "error", "disabled"]


class BreakerOut(Told):
    """Of the process whose breaker is the worst, as it acts now."""

    state: Literal["CLOSED", "OPEN", "HALF_OPEN"]
    failure_count: Count
    success_count: Count
    total_count: Count
    window_size: Count
    failure_rate: Rate
    last_failure_time: Moment | None
    open_until: Moment | None
    enabled: bool


class PoolRuntimeOut(Told):
    """As it is configured; seconds. All zero where there is no pool."""

    pool_size: Count
    max_overflow: Count
    pool_timeout: float
    pool_recycle: float
    tcp_connect_timeout: float
    retry_count: Count
    retry_delay: float
    call_timeout_ms: Count
    health_pool_size: Count
    health_max_overflow: Count
    health_pool_timeout: float
    pool_exhausted_retry_after_seconds: Count


class ProcessOut(Told):
    worker_pid: int
    saturation: Rate
    checked_out: int
    max_capacity: int
    requests_waiting: Count
    sampled_at: Moment


class PoolStateOut(Told):
    """Of the fullest pool. `scope`: of every web process that told of itself within 15 s, or of this one alone."""

    size: Count
    checked_out: int
    overflow: Count
    checked_in: Count
    max_capacity: Count
    saturation: Rate
    requests_waiting: Count
    worker_pid: int
    sampled_at: Moment
    scope: Literal["max_over_processes", "self"]
    processes: list[ProcessOut]


class PoolOut(Told):
    runtime: PoolRuntimeOut
    state: Annotated[PoolStateOut | None, Field(description="null: no process has used its pool yet")]


class ThresholdsOut(Told):
    degraded_alert_seconds: float
    pool_saturation_warning: float
    pool_saturation_critical: float
    restart_churn_window_seconds: float
    restart_churn_threshold: float


class AlertsOut(Told):
    """Of this moment only."""

    pool_warning: bool
    pool_critical: bool
    circuit_open: bool
    route_cache_degraded: bool
    restart_churn_exceeded: bool
    restart_blocked: bool


class PolicyOut(Told):
    state: Literal["allowed", "cooldown", "blocked"]
    allowed: bool
    cooldown: bool
    blocked: bool
    cooldown_remaining_seconds: Count


class ChurnOut(Told):
    window_seconds: float
    threshold: Count
    count: Count
    exceeded: bool
    last_completed_at: Moment | None


class RecommendationOut(Told):
    action: str
    reason: str


class ResilienceOut(Told):
    thresholds: ThresholdsOut
    alerts: AlertsOut
    policy_state: PolicyOut
    restart_churn: ChurnOut
    recovery_recommendation: RecommendationOut


class ContractOut(Told):
    """`strict`: a violation stops the start."""

    valid: bool
    strict: bool
    errors: list[str]
    contract: dict[str, JsonValue]


class IndexOut(Told):
    """`built_at`: since when this process has seen this version."""

    version: str
    built_at: Moment
    row_count: Count
    revisions: Count
    runs: Count
    releases: Count
    environments: Count


class CacheOut(Told):
    """`sys_date`: the database's clock when it was read last. null: not yet."""

    enabled: bool
    sys_date: Moment | None
    updated_at: Moment | None
    derived_search_index: dict[str, IndexOut]


class RouteCacheOut(Told):
    """Pages that were drawn and kept, over all web processes since each started."""

    mode: Literal["l1+l2", "l1-only", "none"]
    degraded: bool
    redis_expected: bool
    available: bool
    l1_size: Count
    reads_total: Count
    writes_total: Count
    l1_hits: Count
    l2_hits: Count
    misses: Count
    l1_hit_rate: Rate
    l2_hit_rate: Rate
    miss_rate: Rate


class DerivedIndexOut(Told):
    """`is_fresh`: it agrees with what it was made of."""

    ready: bool
    source: str
    version: str | None
    updated_at: Moment | None
    built_at: Moment | None
    count: Count
    age_seconds: float | None
    is_fresh: bool


class ResourceCacheOut(Told):
    """Environments, and how many revisions stand applied in them."""

    enabled: bool
    loaded: bool
    count: Count
    version: str | None
    updated_at: Moment | None
    derived_index: DerivedIndexOut


class WorkerOut(Told):
    name: str
    state: str
    current_job: str | None
    queues: list[str]
    birth_date: Moment | None
    successful_job_count: Count
    failed_job_count: Count


class WorkerSummaryOut(Told):
    total: Count
    busy: Count
    idle: Count


class WorkersOut(Told):
    workers: list[WorkerOut]
    summary: WorkerSummaryOut


class QueueOut(Told):
    name: str
    depth: Count
    started: Count
    failed: Count


class QueuesOut(Told):
    queues: list[QueueOut]
    total_queued: Count
    total_started: Count
    total_failed: Count


class SlotsOut(Told):
    active: Count
    max: Count
    utilization_pct: float


class AsyncWorkersOut(Told):
    """`rq_available` false: Redis or what stands there could not be read, and nothing is known of the rest."""

    rq_available: bool
    workers: WorkersOut
    queues: QueuesOut
    slots: SlotsOut


class MemoryOut(Told):
    """`pressure`: `high` from 90 % in use, `some` from 80 %."""

    total_mb: Count | None
    available_mb: Count | None
    used_pct: float | None
    pressure: Literal["none", "some", "high", "unknown"]


Status = Literal["healthy", "degraded", "unhealthy"]
Reason = (
    Literal[
        "database_unreachable",
        "circuit_breaker_open",
        "db_pool_saturated",
        "redis_unavailable",
        "route_cache_degraded",
    ]
    | None
)


class StatusOut(Told):
    """What everybody is told."""

    status: Status


class HealthOut(Told):
    """What callers are told who are signed in, bring a token, or stand in LOCKSTEP_HEALTH_ALLOW. `errors` and
    `warnings` are there when there are any."""

    status: Status
    services: ServicesOut
    degraded_reason: Reason
    circuit_breaker: BreakerOut
    database_pool: PoolOut
    resilience: ResilienceOut
    runtime_contract: ContractOut
    cache: CacheOut
    route_cache: RouteCacheOut
    resource_cache: ResourceCacheOut
    async_workers: AsyncWorkersOut
    system_memory: MemoryOut
    errors: list[str] | None = None
    warnings: list[str] | None = None
