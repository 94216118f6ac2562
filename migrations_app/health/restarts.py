"""Controlled restarts of the web processes: how the policy stands, and asking for one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from migrations_app.audit.record import record
from migrations_app.engine.errors import LockstepError
from migrations_app.watchdog import files
from migrations_app.watchdog.contract import RuntimeContract, errors, fingerprint
from migrations_app.watchdog.entry import Entry, Flag, Unreadable
from migrations_app.watchdog.policy import Churn, Decision, Rules, State, churn, decide, judge, last_accepted

OBJECT = "web"
BEATS_MISSED = 3


class RestartFailed(LockstepError):
    """The request could not be handed to the watchdog."""


@dataclass(frozen=True)
class Override:
    """A person's own decision against the policy; it counts with both marks and a reason."""

    wanted: bool = False
    acknowledged: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Standing:
    """What the files of web and watchdog say at one moment."""

    contract: RuntimeContract
    now: datetime
    kept: files.Kept
    waiting: Flag | None
    state: State
    churn: Churn
    beat_age: float | None

    @property
    def errors(self) -> tuple[str, ...]:
        return errors(self.contract)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.contract)

    @property
    def watched(self) -> bool:
        """Whether the watchdog looked of late."""
        return self.beat_age is not None and self.beat_age <= BEATS_MISSED * self.contract.watchdog_check_interval + 1

    @property
    def newest(self) -> tuple[Entry, ...]:
        return self.kept.history[::-1]


@dataclass(frozen=True)
class Answer:
    """What was decided about a request, and how things stood."""

    decision: Decision
    standing: Standing


def standing() -> Standing:
    """Without any trust in what lies there: a file that cannot be read is an empty one, and told."""
    contract: RuntimeContract = settings.RUNTIME_CONTRACT
    rules: Rules = settings.RESTART_RULES
    now = timezone.now()
    kept = files.read_state(Path(contract.watchdog_state_file))
    waiting = None
    with suppress(Unreadable):
        waiting = files.read_flag(Path(contract.watchdog_restart_flag))
    pending_s = math.ceil(contract.watchdog_check_interval) if waiting else 0
    state = judge(kept.history, last_accepted(kept.history, waiting), now, rules, pending_s=pending_s)
    age = files.beat_age(Path(contract.watchdog_runtime_dir), now.timestamp())
    return Standing(contract, now, kept, waiting, state, churn(kept.history, now, rules), age)


def ask_restart(*, by: User, ip: str, worker_pid: int, override: Override, source: str = "manual") -> Answer:
    """Nobody else asks meanwhile, so of several requests one is accepted. Raises RestartFailed.

    The audit entry is committed before the watchdog can act: a restart that nobody is noted for cannot happen.
    """
    try:
        with files.alone(Path(settings.RUNTIME_CONTRACT.watchdog_runtime_dir)):
            return _ask(by, ip, worker_pid, override, source)
    except OSError as problem:
        with transaction.atomic():
            record(actor=by, action="restart_failed", object=OBJECT, after={"problem": _why(problem), "ip": ip})
        raise _failed(_why(problem)) from problem


def _ask(by: User, ip: str, worker_pid: int, override: Override, source: str) -> Answer:
    found = standing()
    decision = decide(found.state, source, override.wanted, override.acknowledged, override.reason)
    if decision.status == 400:
        return Answer(decision, found)
    action = "restart_request_accepted" if decision.allowed else "restart_request_blocked"
    with transaction.atomic():
        record(actor=by, action=action, object=OBJECT, after=_noted(found, decision, override, ip))
    if decision.allowed:
        flag = Flag(
            user=by.get_username(),
            ip=ip,
            timestamp=found.now,
            worker_pid=worker_pid,
            source=source,
            manual_override=override.wanted,
            override_acknowledged=override.acknowledged,
            override_reason=override.reason,
            policy_state=found.state.as_json(),
            policy_decision=decision.as_json(),
            runtime_contract_version=found.contract.version,
        )
        files.write_flag(Path(found.contract.watchdog_restart_flag), flag)
    return Answer(decision, found)


def _noted(found: Standing, decision: Decision, override: Override, ip: str) -> Mapping[str, object]:
    return {
        "ip": ip,
        "policy": found.state.state,
        "attempts_in_window": found.state.attempts,
        "decision": decision.decision,
        "decision_reason": decision.reason,
        "override_reason": override.reason,
    }


def _why(problem: OSError) -> str:
    return problem.strerror or str(problem)


def _failed(why: str) -> RestartFailed:
    return RestartFailed(
        "RESTART_FAILED",
        f"The request could not be handed to the watchdog: {why}.",
        not_done="The web processes were not restarted.",
        next_step="Look at the WATCHDOG paths and their owner, or restart the web server by hand.",
    )
