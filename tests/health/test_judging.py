"""Each reason with its status, its advice and its warnings; the first that holds is told, and healthy has none."""

from __future__ import annotations

import itertools

import pytest

from migrations_app.health.judging import (
    Alerts,
    Facts,
    Recommendation,
    alerts_of,
    reason_of,
    recommend,
    recommend_restart,
    status_of,
    warnings_of,
)
from migrations_app.health.thresholds import Thresholds

FINE = Facts(saturation=0.5)
AWAY = Facts(database="error", circuit="OPEN", saturation=1.0, redis="error", route_cache_degraded=True)


@pytest.mark.parametrize(
    ("facts", "reason", "status"),
    [
        (FINE, None, "healthy"),
        (Facts(), None, "healthy"),
        (Facts(redis="disabled"), None, "healthy"),
        (Facts(circuit="HALF_OPEN"), None, "healthy"),
        (Facts(saturation=0.99), None, "healthy"),
        (Facts(churn_exceeded=True, cooldown=True, restart_blocked=True), None, "healthy"),
        (Facts(cache_loaded=False), None, "healthy"),
        (AWAY, "database_unreachable", "unhealthy"),
        (Facts(circuit="OPEN", saturation=1.0, redis="error"), "circuit_breaker_open", "degraded"),
        (Facts(saturation=1.0, redis="error"), "db_pool_saturated", "degraded"),
        (Facts(redis="error", route_cache_degraded=True), "redis_unavailable", "degraded"),
        (Facts(route_cache_degraded=True), "route_cache_degraded", "degraded"),
    ],
)
def test_the_first_reason_that_holds_gives_the_status(facts: Facts, reason: str | None, status: str) -> None:
    assert reason_of(facts) == reason
    assert status_of(reason_of(facts)) == status


def test_nothing_is_healthy_beside_a_reason_and_nothing_else_without_one() -> None:
    seen = set()
    for database, redis, circuit, saturation, degraded, churn in itertools.product(
        ("ok", "error"),
        ("ok", "error", "disabled"),
        ("CLOSED", "OPEN", "HALF_OPEN"),
        (None, 0.0, 0.9, 1.0),
        (False, True),
        (False, True),
    ):
        facts = Facts(
            database, redis, circuit, saturation, route_cache_degraded=degraded, churn_exceeded=churn, cooldown=churn
        )
        reason = reason_of(facts)
        assert (status_of(reason) == "healthy") is (reason is None)
        assert (recommend(facts).action == "none") is (reason is None)
        seen.add(reason)
    assert len(seen) == 6


@pytest.mark.parametrize(
    ("facts", "action", "reason"),
    [
        (FINE, "none", "healthy"),
        (AWAY, "check_database_connectivity", "database_unreachable"),
        (Facts(redis="error"), "continue_degraded_mode", "redis_unavailable"),
        (Facts(circuit="OPEN", churn_exceeded=True), "wait_for_circuit_half_open", "circuit_breaker_open"),
        (
            Facts(saturation=1.0, churn_exceeded=True, cooldown=True),
            "throttle_and_investigate_queries",
            "restart_churn_exceeded",
        ),
        (Facts(saturation=1.0, cooldown=True), "wait_for_restart_cooldown", "restart_cooldown_active"),
        (Facts(saturation=1.0), "consider_controlled_worker_restart", "db_pool_saturated"),
        (Facts(route_cache_degraded=True, cooldown=True), "observe_and_retry", "route_cache_degraded"),
    ],
)
def test_what_to_do_follows_from_the_reason(facts: Facts, action: str, reason: str) -> None:
    assert recommend(facts) == Recommendation(action, reason)
    if action != "none":
        assert recommend_restart(facts) == Recommendation(action, reason)


def test_whoever_asks_about_restarts_hears_whether_one_is_possible() -> None:
    assert recommend_restart(FINE) == Recommendation("restart_available", "no_churn_or_cooldown")
    assert recommend_restart(Facts(cooldown=True)).action == "wait_for_restart_cooldown"
    assert recommend_restart(Facts(churn_exceeded=True)).action == "throttle_and_investigate_queries"


def test_alerts_are_of_this_moment_and_by_the_thresholds() -> None:
    quiet = Alerts(False, False, False, False, False, False)
    assert alerts_of(Facts(saturation=0.89, circuit="HALF_OPEN"), Thresholds()) == quiet
    assert alerts_of(Facts(), Thresholds()) == quiet
    warned = alerts_of(Facts(saturation=0.9), Thresholds())
    assert (warned.pool_warning, warned.pool_critical) == (True, False)
    everything = Facts("ok", "ok", "OPEN", 1.0, True, True, False, True)
    assert alerts_of(everything, Thresholds()) == Alerts(True, True, True, True, True, True)
    assert alerts_of(Facts(saturation=0.5), Thresholds(pool_saturation_warning=0.5)).pool_warning


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (FINE, ()),
        (Facts(redis="disabled", cache_enabled=False, cache_loaded=False), ()),
        (Facts(saturation=0.9167), ("91%",)),
        (Facts(saturation=1.0), ("100%",)),
        (Facts(circuit="OPEN"), ("OPEN",)),
        (Facts(circuit="HALF_OPEN"), ("HALF_OPEN",)),
        (Facts(redis="error", route_cache_degraded=True), ("Redis does not answer", "L1-only")),
        (Facts(cache_loaded=False), ("enabled but not loaded",)),
    ],
)
def test_each_warning_is_a_sentence(facts: Facts, words: tuple[str, ...]) -> None:
    told = warnings_of(facts, Thresholds())
    assert len(told) == len(words)
    for sentence, word in zip(told, words, strict=True):
        assert word in sentence and sentence.endswith(".")
