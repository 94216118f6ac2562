"""The watchdog: each few seconds it looks for a request, judges it once more and has gunicorn load its workers anew.

gunicorn's master keeps the port while it replaces its workers on SIGHUP, so nobody is turned away meanwhile.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from migrations_app.watchdog import files
from migrations_app.watchdog.contract import RuntimeContract
from migrations_app.watchdog.entry import BLOCKED, EXECUTED, FAILED, Entry, Flag, Unreadable
from migrations_app.watchdog.policy import Rules, State, decide, judge, last_accepted

Say = Callable[[str], None]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Watchdog:
    """Whoever makes one calls `look` again and again."""

    contract: RuntimeContract
    rules: Rules
    say: Say
    history_max: int = files.HISTORY_MAX
    now: Callable[[], datetime] = _now
    _handled: Flag | None = field(default=None, init=False)
    _trouble: str = field(default="", init=False)

    def run(self, stopping: threading.Event) -> None:
        self.look()
        while not stopping.wait(self.contract.watchdog_check_interval):
            self.look()

    def look(self) -> Entry | None:
        """What came of a request, if there was one. Files that cannot be used are no reason to end."""
        try:
            entry = self._look()
        except OSError as problem:
            self._tell_trouble(f"Requests for restarts cannot be looked at: {problem}")
            return None
        self._trouble = ""
        return entry

    def _look(self) -> Entry | None:
        runtime_dir = Path(self.contract.watchdog_runtime_dir)
        files.beat(runtime_dir)
        if not os.path.lexists(self._flag):
            return None
        with files.alone(runtime_dir):
            return self._act()

    def _act(self) -> Entry | None:
        """1. Read. 2. Judge. 3. Signal. 4. Note what came of it. 5. Take the request away."""
        try:
            flag = files.read_flag(self._flag)
        except Unreadable as why:
            return self._finish(self._unreadable(), f"The request could not be read ({why}) and was taken away.")
        if flag is None:
            return None
        history = files.read_state(self._state).history
        if flag == self._handled or any(_is_of(entry, flag) for entry in history):
            files.delete_flag(self._flag)
            return None
        self._handled = flag
        state = judge(history, last_accepted(history), self.now(), self.rules)
        return self._finish(*self._carry_out(flag, state))

    def _carry_out(self, flag: Flag, state: State) -> tuple[Entry, str]:
        override = flag.manual_override and bool(flag.override_reason.strip())
        decision = decide(state, flag.source, override, flag.override_acknowledged, flag.override_reason)
        if not decision.allowed:
            reason = "guarded_mode_blocked" if state.state == "blocked" else "cooldown_active"
            return self._entry(flag, state, BLOCKED, reason), f"The restart {flag.user} asked for is refused: {reason}."
        pid = files.read_pid(Path(self.contract.watchdog_pid_file))
        if pid is None or not _is_gunicorn(pid):
            told = f"The restart {flag.user} asked for failed: {self.contract.watchdog_pid_file} leads to no gunicorn."
            return self._entry(flag, state, FAILED, "gunicorn_pid_unavailable"), told
        try:
            os.kill(pid, signal.SIGHUP)
        except OSError as problem:
            told = f"The restart {flag.user} asked for failed: process {pid} could not be signalled ({problem})."
            return self._entry(flag, state, FAILED, "signal_failed"), told
        told = f"gunicorn (process {pid}) replaces its workers, as {flag.user} asked."
        return self._entry(flag, state, EXECUTED, "signal_sighup"), told

    def _entry(self, flag: Flag, state: State, decision: str, reason: str) -> Entry:
        return Entry(
            requested_by=flag.user,
            requested_at=flag.timestamp,
            requested_ip=flag.ip,
            completed_at=self.now(),
            success=decision == EXECUTED,
            source=flag.source,
            decision=decision,
            decision_reason=reason,
            manual_override=flag.manual_override,
            policy_state=state.as_json(),
        )

    def _unreadable(self) -> Entry:
        """Nobody knows who asked for it."""
        return Entry(
            requested_by="",
            requested_at=None,
            requested_ip="",
            completed_at=self.now(),
            success=False,
            source="manual",
            decision=FAILED,
            decision_reason="flag_unreadable",
        )

    def _finish(self, entry: Entry, told: str) -> Entry:
        """The request goes whatever becomes of the note: a restart again and again would be worse than a lost note."""
        self.say(told)
        try:
            files.append_entry(self._state, entry, self.history_max)
        finally:
            files.delete_flag(self._flag)
        return entry

    def _tell_trouble(self, told: str) -> None:
        if told != self._trouble:
            self.say(told)
        self._trouble = told

    @property
    def _flag(self) -> Path:
        return Path(self.contract.watchdog_restart_flag)

    @property
    def _state(self) -> Path:
        return Path(self.contract.watchdog_state_file)


def _is_of(entry: Entry, flag: Flag) -> bool:
    return entry.requested_at == flag.timestamp and entry.requested_by == flag.user


def _is_gunicorn(pid: int) -> bool:
    """A process id that was given to somebody else since must not be signalled."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass
    except OSError:
        return False
    try:
        return b"gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return not Path("/proc/self").exists()
