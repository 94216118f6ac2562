"""Restarts of the web processes as the edge tells of them: to the API in its fields, to people in sentences."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from django.http import HttpRequest

from dashboard import access
from dashboard.health import looking
from migrations_app.health.judging import recommend_restart
from migrations_app.health.restarts import Answer, Override, Standing, ask_restart, standing
from migrations_app.health.thresholds import thresholds
from migrations_app.watchdog.contract import RuntimeContract
from migrations_app.watchdog.policy import State

Told = dict[str, object]
STARTED_AT = datetime.now(UTC)
NEWEST = 20
LAST = ("requested_by", "requested_at", "requested_ip", "completed_at", "success")


def ask(request: HttpRequest, by: access.User, override: Override) -> Answer:
    ip = str(request.META.get("REMOTE_ADDR", ""))[:64]
    return ask_restart(by=by, ip=ip, worker_pid=os.getpid(), override=override)


def status_told(found: Standing | None = None) -> Told:
    """`data` of worker/status."""
    found = found or standing()
    last = found.kept.last_restart
    return {
        "worker_pid": os.getpid(),
        "worker_start_time": STARTED_AT.isoformat(),
        "runtime_contract": _contract(found),
        "cooldown": {
            "active": found.state.cooldown_remaining_s > 0,
            "remaining_seconds": found.state.cooldown_remaining_s,
        },
        "resilience": _resilience(found),
        "restart_history": [entry.as_json() for entry in found.newest[:NEWEST]],
        "last_restart": None if last is None else {name: last.as_json()[name] for name in LAST},
    }


def restart_told(answer: Answer, by: access.User) -> Told:
    """`data` of worker/restart, when it was accepted."""
    found = answer.standing
    return {
        "message": "The watchdog has the web processes replaced within seconds; the port stays open.",
        "requested_by": by.get_username(),
        "requested_at": found.now.isoformat(),
        "single_port_bind": found.contract.gunicorn_bind,
        "policy_state": found.state.as_json(full=True),
        "decision": answer.decision.as_json(),
        "watchdog": _paths(found.contract),
    }


def refusal_words(answer: Answer) -> str:
    """What happened, what was not done, what to do."""
    status, not_done = answer.decision.status, "The web processes were not restarted."
    if status == 400:
        return f"An override takes a reason. {not_done} Say why the policy should not hold this time."
    also = " An override takes both marks and a reason."
    if status == 409:
        return f"{blocked_words(answer.standing.state)} {not_done} Find out why first.{also}"
    if answer.standing.waiting is not None:
        return f"A restart that {answer.standing.waiting.user} asked for waits for the watchdog. {not_done}{also}"
    return f"A restart was asked for less than {answer.standing.state.rules.cooldown_s:g} s ago. {not_done}{also}"


def blocked_words(state: State) -> str:
    rules = state.rules
    return (
        f"Restarts are blocked: {state.attempts} in the last {rules.window_s / 60:g} minutes, "
        f"and {min(rules.retry_budget, rules.churn_threshold)} are the most."
    )


def _contract(found: Standing) -> Told:
    wrong = list(found.errors)
    paths = _paths(found.contract)
    there = {f"{name}_exists": Path(str(paths[f"{name}_path"])).exists() for name in ("flag", "pid", "state")}
    return {
        "version": found.contract.version,
        "fingerprint": found.fingerprint,
        "validation": {"valid": not wrong, "errors": [*wrong]},
        "single_port_bind": found.contract.gunicorn_bind,
        "watchdog": {**paths, **there},
    }


def _paths(contract: RuntimeContract) -> Told:
    return {
        "runtime_dir": contract.watchdog_runtime_dir,
        "flag_path": contract.watchdog_restart_flag,
        "pid_path": contract.watchdog_pid_file,
        "state_path": contract.watchdog_state_file,
    }


def _resilience(found: Standing) -> Told:
    exceeded, blocked = found.churn.exceeded, found.state.state == "blocked"
    cooldown = found.state.cooldown_remaining_s > 0
    facts = replace(looking.current().facts(), churn_exceeded=exceeded, cooldown=cooldown, restart_blocked=blocked)
    return {
        "thresholds": asdict(thresholds()),
        "alerts": {"restart_churn_exceeded": exceeded, "restart_blocked": blocked},
        "restart_churn": found.churn.as_json(),
        "policy_state": found.state.as_json(full=True),
        "recovery_recommendation": asdict(recommend_restart(facts)),
    }
