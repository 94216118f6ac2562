"""May the web processes be restarted now? Pure: judged when somebody asks, and once more when the watchdog acts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from migrations_app.watchdog.contract import flag, number
from migrations_app.watchdog.entry import EXECUTED, FAILED, Entry, Flag


@dataclass(frozen=True)
class Rules:
    """`guarded`: too many restarts block further ones, for then something else is wrong."""

    cooldown_s: float = 60
    retry_budget: int = 3
    churn_threshold: int = 3
    window_s: float = 600
    guarded: bool = True


@dataclass(frozen=True)
class State:
    """How the policy stands: `allowed`, `cooldown` or `blocked`."""

    state: str
    cooldown_remaining_s: int
    attempts: int
    rules: Rules

    @property
    def budget_exhausted(self) -> bool:
        return self.attempts >= self.rules.retry_budget

    @property
    def churn_exceeded(self) -> bool:
        return self.attempts >= self.rules.churn_threshold

    def as_json(self, full: bool = False) -> dict[str, object]:
        short: dict[str, object] = {
            "state": self.state,
            "allowed": self.state == "allowed",
            "cooldown": self.state == "cooldown",
            "blocked": self.state == "blocked",
            "cooldown_remaining_seconds": self.cooldown_remaining_s,
        }
        if not full:
            return short
        return {
            **short,
            "attempts_in_window": self.attempts,
            "retry_budget": self.rules.retry_budget,
            "churn_threshold": self.rules.churn_threshold,
            "window_seconds": self.rules.window_s,
            "guarded_mode": self.rules.guarded,
            "retry_budget_exhausted": self.budget_exhausted,
            "churn_exceeded": self.churn_exceeded,
            "cooldown_seconds": self.rules.cooldown_s,
        }


@dataclass(frozen=True)
class Churn:
    """How often the web processes were restarted of late. `last_completed_at` may be older than the window."""

    window_s: float
    threshold: int
    count: int
    last_completed_at: datetime | None

    @property
    def exceeded(self) -> bool:
        return self.count >= self.threshold

    def as_json(self) -> dict[str, object]:
        return {
            "window_seconds": self.window_s,
            "threshold": self.threshold,
            "count": self.count,
            "exceeded": self.exceeded,
            "last_completed_at": None if self.last_completed_at is None else self.last_completed_at.isoformat(),
        }


@dataclass(frozen=True)
class Decision:
    """`status` is what the request is answered with; `retry_after` in seconds, where waiting helps."""

    allowed: bool
    decision: str
    reason: str
    requires_acknowledgement: bool
    status: int
    retry_after: int | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "allowed": self.allowed,
            "decision": self.decision,
            "reason": self.reason,
            "requires_acknowledgement": self.requires_acknowledgement,
        }


def rules(environ: Mapping[str, str]) -> Rules:
    """Raises contract.BadSetting for what is no number."""
    return Rules(
        cooldown_s=number(environ, "WORKER_RESTART_COOLDOWN", 60),
        retry_budget=int(number(environ, "WORKER_RESTART_RETRY_BUDGET", 3, least=1)),
        churn_threshold=int(number(environ, "WORKER_RESTART_CHURN_THRESHOLD", 3, least=1)),
        window_s=number(environ, "WORKER_RESTART_WINDOW_SECONDS", 600),
        guarded=flag(environ, "WORKER_GUARDED_MODE_ENABLED", True),
    )


def judge(
    history: Iterable[Entry],
    last_accepted_at: datetime | None,
    now: datetime,
    rules: Rules,
    *,
    pending_s: float = 0.0,
) -> State:
    """`pending_s`: how long to wait at least, because a request that was accepted still waits for the watchdog."""
    attempts = len(_restarts_in_window(history, now, rules))
    left = math.ceil(max(_cooldown_left(last_accepted_at, now, rules), pending_s))
    too_many = attempts >= min(rules.retry_budget, rules.churn_threshold)
    state = "blocked" if rules.guarded and too_many else "cooldown" if left else "allowed"
    return State(state, left, attempts, rules)


def churn(history: Iterable[Entry], now: datetime, rules: Rules) -> Churn:
    entries = tuple(history)
    done = [entry.completed_at for entry in entries if _is_restart(entry)]
    count = len(_restarts_in_window(entries, now, rules))
    return Churn(rules.window_s, rules.churn_threshold, count, max(done, default=None))


def last_accepted(history: Iterable[Entry], waiting: Flag | None = None) -> datetime | None:
    """When a restart was last asked for and not refused, by the request's own time."""
    asked = [
        entry.requested_at
        for entry in history
        if entry.requested_at is not None and entry.decision in (EXECUTED, FAILED)
    ]
    return max(asked if waiting is None else [*asked, waiting.timestamp], default=None)


def decide(
    state: State,
    source: str = "manual",
    manual_override: bool = False,
    override_acknowledged: bool = False,
    override_reason: str = "",
) -> Decision:
    """Whoever is at the keyboard may override with a reason; what acts by itself never may."""
    if source == "auto":
        return _decide_auto(state)
    if manual_override and not override_reason.strip():
        return Decision(False, "blocked", "manual_override_required", True, 400)
    if state.state == "allowed":
        return Decision(True, "allowed", "policy_allows_manual_restart", False, 200)
    if manual_override and override_acknowledged:
        return Decision(True, "manual_override", "operator_override_acknowledged", False, 200)
    if state.state == "blocked":
        return Decision(False, "blocked", "manual_override_required", True, 409)
    return Decision(False, "blocked", "cooldown_override_required", True, 429, _retry_after(state))


def _decide_auto(state: State) -> Decision:
    if state.state == "allowed":
        return Decision(True, "allowed", "policy_allows_auto_restart", False, 200)
    if state.state == "blocked":
        return Decision(False, "blocked", "guarded_mode_blocked", False, 409)
    return Decision(False, "blocked", "cooldown_active", False, 429, _retry_after(state))


def _retry_after(state: State) -> int:
    return max(1, state.cooldown_remaining_s)


def _is_restart(entry: Entry) -> bool:
    return entry.decision == EXECUTED and entry.success


def _restarts_in_window(history: Iterable[Entry], now: datetime, rules: Rules) -> list[Entry]:
    """Younger than the window: one that is exactly as old is out."""
    since = now - timedelta(seconds=rules.window_s)
    return [entry for entry in history if _is_restart(entry) and since < entry.completed_at <= now]


def _cooldown_left(last_accepted_at: datetime | None, now: datetime, rules: Rules) -> float:
    """A request from the future, further off than a cooldown, is a clock that was put back, and holds up nobody."""
    if last_accepted_at is None:
        return 0.0
    age = (now - last_accepted_at).total_seconds()
    if age <= -rules.cooldown_s:
        return 0.0
    return min(rules.cooldown_s, max(0.0, rules.cooldown_s - age))
