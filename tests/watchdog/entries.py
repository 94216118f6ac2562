"""Requests and what came of them, as tests write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from migrations_app.watchdog.entry import Entry, Flag

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def entry(seconds_ago: float, decision: str = "executed", success: bool | None = None, **fields: Any) -> Entry:
    told = {"executed": "signal_sighup", "blocked": "guarded_mode_blocked", "failed": "signal_failed"}[decision]
    given: dict[str, Any] = {
        "requested_by": "ada",
        "requested_at": ago(seconds_ago + 2),
        "requested_ip": "10.0.0.7",
        "completed_at": ago(seconds_ago),
        "success": decision == "executed" if success is None else success,
        "source": "manual",
        "decision": decision,
        "decision_reason": told,
        "policy_state": {"state": "allowed"},
    }
    return Entry(**(given | fields))


def flag(seconds_ago: float = 0, **fields: Any) -> Flag:
    given: dict[str, Any] = {"user": "ada", "ip": "10.0.0.7", "timestamp": ago(seconds_ago), "worker_pid": 42}
    return Flag(**(given | fields))
