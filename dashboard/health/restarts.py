"""The runtime contract of this process, and how restarts of web processes stand by the watchdog's files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from migrations_app.watchdog import files, policy
from migrations_app.watchdog.contract import BadSetting, RuntimeContract, errors, fingerprint, read
from migrations_app.watchdog.entry import Entry, Flag, Unreadable


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


def _files(told: RuntimeContract) -> tuple[tuple[Entry, ...], Flag | None]:
    try:
        waiting = files.read_flag(Path(told.watchdog_restart_flag))
    except (OSError, Unreadable):
        waiting = None
    return files.read_state(Path(told.watchdog_state_file)).history, waiting


def restarts(found: Contract) -> Restarts:
    """Rules that cannot be used are those as shipped: the contract's error tells of them."""
    try:
        rules = policy.rules(os.environ)
    except BadSetting:
        rules = policy.Rules()
    history, waiting = _files(found.told) if found.told else ((), None)
    now = datetime.now(UTC)
    state = policy.judge(history, policy.last_accepted(history, waiting), now, rules)
    return Restarts(state, policy.churn(history, now, rules), state.cooldown_remaining_s)
