"""The fields that others read from the health answers, written down a second time: taking one away breaks its readers.

Each table goes from a place in the answer to the names that stand there; `*` is each value of an object.
"""

from __future__ import annotations

from collections.abc import Iterator

BREAKER = "state failure_count success_count total_count window_size failure_rate last_failure_time open_until enabled"
ROUTE_CACHE = (
    "mode degraded redis_expected available l1_size reads_total writes_total l1_hits l2_hits misses l1_hit_rate "
    "l2_hit_rate miss_rate"
)
RUNTIME = (
    "pool_size max_overflow pool_timeout pool_recycle tcp_connect_timeout retry_count retry_delay call_timeout_ms "
    "health_pool_size health_max_overflow health_pool_timeout pool_exhausted_retry_after_seconds"
)
STATE = (
    "size checked_out overflow checked_in max_capacity saturation requests_waiting worker_pid sampled_at scope "
    "processes"
)
THRESHOLDS = (
    "degraded_alert_seconds pool_saturation_warning pool_saturation_critical restart_churn_window_seconds "
    "restart_churn_threshold"
)
ALERTS = "pool_warning pool_critical circuit_open route_cache_degraded restart_churn_exceeded restart_blocked"
POLICY = "state allowed cooldown blocked cooldown_remaining_seconds"
CHURN = "window_seconds threshold count exceeded last_completed_at"
RECOMMENDATION = "action reason"
CONTRACT = (
    "version project_root gunicorn_bind validation_enforced watchdog_runtime_dir watchdog_restart_flag "
    "watchdog_pid_file watchdog_state_file watchdog_check_interval"
)
DERIVED = "ready source version updated_at built_at count age_seconds is_fresh"

RESILIENCE = {
    "resilience.thresholds": THRESHOLDS,
    "resilience.alerts": ALERTS,
    "resilience.policy_state": POLICY,
    "resilience.restart_churn": CHURN,
    "resilience.recovery_recommendation": RECOMMENDATION,
}
HEALTH = {
    "": "status services degraded_reason",
    "services": "database redis",
    "circuit_breaker": BREAKER,
    **RESILIENCE,
    "runtime_contract": "valid strict errors contract",
    "runtime_contract.contract": CONTRACT,
    "route_cache": ROUTE_CACHE,
    "async_workers": "rq_available workers queues slots",
    "async_workers.workers.summary": "total busy idle",
    "async_workers.queues": "queues total_queued total_started total_failed",
    "async_workers.slots": "active max utilization_pct",
    "system_memory": "total_mb available_mb used_pct pressure",
}
POOL = {"": "status degraded_reason", "database_pool.runtime": RUNTIME, "database_pool.state": STATE}
DERIVED_DATA = {
    "cache": "enabled sys_date updated_at derived_search_index",
    "cache.derived_search_index.*": "version built_at row_count",
    "resource_cache": "enabled loaded count version updated_at derived_index",
    "resource_cache.derived_index": DERIVED,
}
DEEP = {
    "": "status degraded_reason resilience checks metrics",
    **RESILIENCE,
    "checks.database": "status latency_ms pool pool_runtime",
    "checks.redis": "status latency_ms",
    "checks.circuit_breaker": BREAKER,
    "checks.cache": "freshness updated_at sys_date",
    "checks.route_cache": ROUTE_CACHE,
    "metrics": "query_p50_ms query_p95_ms query_p99_ms query_count slow_query_count slow_query_rate worker_pid",
}
STATUS = {
    "data": "worker_pid worker_start_time runtime_contract cooldown resilience restart_history last_restart",
    "data.runtime_contract": "version validation single_port_bind watchdog",
    "data.runtime_contract.validation": "valid errors",
    "data.runtime_contract.watchdog": ("runtime_dir flag_path flag_exists pid_path pid_exists state_path state_exists"),
    "data.cooldown": "active remaining_seconds",
    "data.resilience.thresholds": THRESHOLDS,
    "data.resilience.alerts": "restart_churn_exceeded restart_blocked",
    "data.resilience.policy_state": f"{POLICY} attempts_in_window retry_budget churn_threshold window_seconds",
    "data.resilience.restart_churn": CHURN,
    "data.resilience.recovery_recommendation": RECOMMENDATION,
}
HEADERS = {"cache-control": "no-cache, no-store, must-revalidate", "pragma": "no-cache", "expires": "0"}

Fields = dict[str, str]


def missing(document: object, wanted: Fields) -> list[str]:
    """The paths of fields that the answer lacks; a part that is not there counts once."""
    return [told for place, names in wanted.items() for told in _missing(document, place, names.split())]


def _missing(document: object, place: str, names: list[str]) -> Iterator[str]:
    for path, part in _parts(document, place.split(".") if place else []):
        if not isinstance(part, dict):
            yield path
            continue
        yield from (f"{path}.{name}".lstrip(".") for name in names if name not in part)


def _parts(document: object, steps: list[str], path: str = "") -> Iterator[tuple[str, object]]:
    if not steps:
        yield path, document
        return
    here = document if isinstance(document, dict) else {}
    step, *rest = steps
    for name in sorted(here) if step == "*" else [step]:
        yield from _parts(here.get(name), rest, f"{path}.{name}".lstrip("."))
