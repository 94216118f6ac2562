"""What is known of this installation, judged: a reason exactly when it is not healthy, and what to do about it.

Nobody is asked here; every function is a table over one `Facts`.
"""

from __future__ import annotations

from dataclasses import dataclass

from migrations_app.health.thresholds import Thresholds

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
OK, ERROR, DISABLED = "ok", "error", "disabled"
CLOSED, OPEN, HALF_OPEN = "CLOSED", "OPEN", "HALF_OPEN"

DATABASE, CIRCUIT, POOL = "database_unreachable", "circuit_breaker_open", "db_pool_saturated"
REDIS, ROUTE_CACHE = "redis_unavailable", "route_cache_degraded"
FULL = 1.0


@dataclass(frozen=True)
class Facts:
    """`saturation` is that of the fullest pool, None where there is none or none is known."""

    database: str = OK
    redis: str = OK
    circuit: str = CLOSED
    saturation: float | None = None
    route_cache_degraded: bool = False
    churn_exceeded: bool = False
    cooldown: bool = False
    restart_blocked: bool = False
    cache_enabled: bool = True
    cache_loaded: bool = True


@dataclass(frozen=True)
class Recommendation:
    action: str
    reason: str


@dataclass(frozen=True)
class Alerts:
    """Of this moment only."""

    pool_warning: bool
    pool_critical: bool
    circuit_open: bool
    route_cache_degraded: bool
    restart_churn_exceeded: bool
    restart_blocked: bool


def reason_of(facts: Facts) -> str | None:
    """The first that holds."""
    for holds, reason in (
        (facts.database == ERROR, DATABASE),
        (facts.circuit == OPEN, CIRCUIT),
        (facts.saturation is not None and facts.saturation >= FULL, POOL),
        (facts.redis == ERROR, REDIS),
        (facts.route_cache_degraded, ROUTE_CACHE),
    ):
        if holds:
            return reason
    return None


def status_of(reason: str | None) -> str:
    if reason is None:
        return HEALTHY
    return UNHEALTHY if reason == DATABASE else DEGRADED


def recommend(facts: Facts) -> Recommendation:
    """By the reason, and for a full pool by whether a restart would help and is allowed now."""
    reason = reason_of(facts)
    fixed = {
        None: Recommendation("none", "healthy"),
        DATABASE: Recommendation("check_database_connectivity", DATABASE),
        REDIS: Recommendation("continue_degraded_mode", REDIS),
        CIRCUIT: Recommendation("wait_for_circuit_half_open", CIRCUIT),
    }
    if reason in fixed:
        return fixed[reason]
    if reason == POOL:
        return _for_a_full_pool(facts)
    return Recommendation("observe_and_retry", str(reason))


def recommend_restart(facts: Facts) -> Recommendation:
    """For whoever asks about restarts: the same, and that one is possible where nothing is wrong."""
    found = recommend(facts)
    if found.action != "none":
        return found
    if facts.churn_exceeded:
        return Recommendation("throttle_and_investigate_queries", "restart_churn_exceeded")
    if facts.cooldown:
        return Recommendation("wait_for_restart_cooldown", "restart_cooldown_active")
    return Recommendation("restart_available", "no_churn_or_cooldown")


def _for_a_full_pool(facts: Facts) -> Recommendation:
    if facts.churn_exceeded:
        return Recommendation("throttle_and_investigate_queries", "restart_churn_exceeded")
    if facts.cooldown:
        return Recommendation("wait_for_restart_cooldown", "restart_cooldown_active")
    return Recommendation("consider_controlled_worker_restart", POOL)


def alerts_of(facts: Facts, limits: Thresholds) -> Alerts:
    saturation = facts.saturation or 0.0
    return Alerts(
        pool_warning=saturation >= limits.pool_saturation_warning,
        pool_critical=saturation >= limits.pool_saturation_critical,
        circuit_open=facts.circuit == OPEN,
        route_cache_degraded=facts.route_cache_degraded,
        restart_churn_exceeded=facts.churn_exceeded,
        restart_blocked=facts.restart_blocked,
    )


def warnings_of(facts: Facts, limits: Thresholds) -> tuple[str, ...]:
    """A sentence each."""
    saturation = facts.saturation or 0.0
    told = (
        (
            saturation >= limits.pool_saturation_warning,
            f"The fullest pool of database connections is used to {int(saturation * 100)}%.",
        ),
        (facts.circuit == OPEN, "The circuit breaker is OPEN: the database is not asked for pages."),
        (facts.circuit == HALF_OPEN, "The circuit breaker is HALF_OPEN: one request tries the database."),
        (
            facts.redis == ERROR,
            "Redis does not answer: workers look for runs themselves, pages are kept by each process.",
        ),
        (facts.route_cache_degraded, "The route cache is L1-only: web processes do not share what they draw."),
        (facts.cache_enabled and not facts.cache_loaded, "The cache is enabled but not loaded yet."),
    )
    return tuple(sentence for holds, sentence in told if holds)
