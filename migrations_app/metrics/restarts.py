"""Restarts of the web processes: the churn within its window, and how the policy stands."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from migrations_app.health.restarts import Standing
from migrations_app.metrics.telling import gauge, one, which


def told(standing: Standing) -> Iterator[Metric]:
    churn = standing.churn
    yield one("lockstep_restarts_in_window", "Restarts by the watchdog that are younger than the window", churn.count)
    yield one("lockstep_restarts_window_seconds", "How long the window is", churn.window_s)
    yield one("lockstep_restarts_threshold", "So many restarts within the window are too many", churn.threshold)
    yield gauge(
        "lockstep_restart_policy",
        "1 for how the restart policy stands",
        ("state",),
        which(("allowed", "cooldown", "blocked"), standing.state.state),
    )
