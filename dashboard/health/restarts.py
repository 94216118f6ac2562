"""The runtime contract of this process, and how restarts of the web processes stand, as the watchdog's files tell it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from migrations_app.watchdog import files, policy
from migrations_app.watchdog.contract import BadSetting, RuntimeContract, errors, fingerprint, read


@dataclass(frozen=True)
class Contract:
    """`told` None: it holds what cannot be used, and the error says what."""

    told: RuntimeContract | None
    errors: tuple[str, ...]

    @property
    def strict(self) -> bool:
        return self.told is None or self.told.validation_enforced

    @property
    def fingerprint(self) -> str:
        return "" if self.told is None else fingerprint(self.told)


@dataclass(frozen=True)
class Restarts:
    state: policy.State
    churn: policy.Churn
    cooldown_s: int


def contract() -> Contract:
    try:
        told = read(os.environ, settings.BASE_DIR)
    except BadSetting as wrong:
        return Contract(None, (str(wrong),))
    return Contract(told, errors(told))


def restarts(found: Contract) -> Restarts:
    """Rules that cannot be used are those as shipped: the contract's error tells of them."""
    try:
        rules = policy.rules(os.environ)
    except BadSetting:
        rules = policy.Rules()
    path = None if found.told is None else Path(found.told.watchdog_state_file)
    history = () if path is None else files.read_state(path).history
    now = datetime.now(UTC)
    state = policy.judge(history, policy.last_accepted(history), now, rules)
    return Restarts(state, policy.churn(history, now, rules), state.cooldown_remaining_s)
