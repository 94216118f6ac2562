"""The watchdog's look at its files: what it does about each request, and that nothing there brings it down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from migrations_app.watchdog import contract, files
from migrations_app.watchdog.entry import Entry, Flag
from migrations_app.watchdog.loop import Watchdog
from migrations_app.watchdog.policy import Rules
from tests.watchdog.entries import NOW, ago, entry, flag

PROJECT = Path(__file__).parents[2]
# Something that is called like gunicorn and counts the signals it gets.
MASTER = """
import signal, sys
signal.signal(signal.SIGHUP, lambda *_: print("HUP", flush=True))
print("ready", flush=True)
while True:
    signal.pause()
"""
OVERRIDE: dict[str, Any] = {"manual_override": True, "override_acknowledged": True, "override_reason": "it leaks"}
THREE = (entry(100), entry(200), entry(300))


class Ground:
    """A watchdog over one folder, its clock standing at NOW."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, list[str]()
        environ = {"WATCHDOG_RUNTIME_DIR": str(folder), "WATCHDOG_STATE_FILE": str(folder / "state.json")}
        self.contract = contract.read(environ, PROJECT)
        self.dog = Watchdog(self.contract, Rules(), self.said.append, now=lambda: NOW)
        self.flag, self.pid = Path(self.contract.watchdog_restart_flag), Path(self.contract.watchdog_pid_file)
        self.state = Path(self.contract.watchdog_state_file)

    def look(self, asked: Flag | None = None, *history: Entry) -> Entry | None:
        """`history` begins a new one."""
        if history:
            self.state.unlink(missing_ok=True)
        for one in reversed(history):
            files.append_entry(self.state, one)
        if asked is not None:
            files.write_flag(self.flag, asked)
        return self.dog.look()


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


@pytest.fixture
def master(ground: Ground) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-I", "-S", "-c", MASTER, "gunicorn"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        ground.pid.write_text(str(process.pid))
        yield process
        process.kill()


def test_without_a_request_it_only_shows_that_it_looks(ground: Ground) -> None:
    assert ground.look() is None
    assert {one.name for one in ground.folder.iterdir()} == {files.BEAT}


def test_it_signals_the_master_once_and_notes_it(ground: Ground, master: subprocess.Popen[str]) -> None:
    asked = flag(3)
    found = ground.look(asked)
    assert found is not None
    assert (found.decision, found.decision_reason, found.success) == ("executed", "signal_sighup", True)
    assert (found.requested_by, found.requested_at, found.completed_at) == ("ada", ago(3), NOW)
    assert not ground.flag.exists()
    assert files.read_state(ground.state).history == (found,)
    # The same request once more, by another watchdog or after it could not be taken away.
    assert ground.look(asked) is None
    assert Ground(ground.folder).look(asked) is None
    assert not ground.flag.exists()
    assert files.read_state(ground.state).history == (found,)
    assert master.stdout is not None
    assert master.stdout.readline() == "HUP\n"
    os.kill(master.pid, signal.SIGTERM)
    assert master.stdout.read() == ""


def test_it_judges_by_itself_what_it_is_asked(ground: Ground, master: subprocess.Popen[str]) -> None:
    lately = entry(0, requested_at=ago(30))
    for asked, history, decision, reason in (
        (flag(), THREE, "blocked", "guarded_mode_blocked"),
        (flag(source="auto", **OVERRIDE), THREE, "blocked", "guarded_mode_blocked"),
        (flag(**OVERRIDE | {"override_reason": " "}), THREE, "blocked", "guarded_mode_blocked"),
        (flag(**OVERRIDE), THREE, "executed", "signal_sighup"),
        (flag(), (lately,), "blocked", "cooldown_active"),
        (flag(**OVERRIDE), (lately,), "executed", "signal_sighup"),
        (flag(source="auto"), (entry(100),), "executed", "signal_sighup"),
    ):
        found = Ground(ground.folder).look(asked, *history)
        assert found is not None
        assert (found.decision, found.decision_reason) == (decision, reason), asked
        assert not ground.flag.exists()
        assert files.read_state(ground.state).history[-1] == found


def test_without_a_gunicorn_it_notes_a_failure(ground: Ground) -> None:
    gone = subprocess.Popen([sys.executable, "-I", "-S", "-c", ""])
    gone.wait()
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE) as other:
        for number, pid in enumerate((None, "garbage", str(gone.pid), str(other.pid))):
            if pid is not None:
                ground.pid.write_text(pid)
            found = ground.look(flag(100 * number), entry(500))
            assert found is not None
            assert (found.decision, found.decision_reason) == ("failed", "gunicorn_pid_unavailable"), pid
            assert not found.success
            assert not ground.flag.exists()
        assert other.poll() is None
        other.communicate()


def test_a_request_that_cannot_be_read_is_taken_away_and_noted(ground: Ground) -> None:
    ground.flag.write_text("{")
    found = ground.look()
    assert found is not None
    assert (found.decision, found.requested_by, found.requested_at) == ("failed", "", None)
    assert not ground.flag.exists()
    assert ground.said == ["The request could not be read (it is no JSON) and was taken away."]
    assert json.loads(ground.state.read_text())["last_restart"] is None


def test_files_that_cannot_be_used_are_told_once_and_end_nothing(
    ground: Ground, master: subprocess.Popen[str], tmp_path: Path
) -> None:
    """The note cannot be written, so nobody will know; the restart is done once all the same."""
    ground.dog.contract = replace(ground.contract, watchdog_state_file=str(tmp_path / "none" / "state.json"))
    assert ground.look(flag()) is None
    assert ground.look() is None
    assert not ground.flag.exists()
    assert [said.partition(":")[0] for said in ground.said] == [
        f"gunicorn (process {master.pid}) replaces its workers, as ada asked.",
        "Requests for restarts cannot be looked at",
    ]
    nowhere = Ground(tmp_path / "none")
    assert (nowhere.dog.look(), nowhere.dog.look()) == (None, None)
    assert len(nowhere.said) == 1


def test_the_newest_entries_alone_are_kept(ground: Ground) -> None:
    ground.dog.history_max = 2
    for number in range(4):
        ground.look(flag(-number))
        ground.dog.now = lambda number=number: NOW + timedelta(seconds=number)  # type: ignore[misc]
    assert len(files.read_state(ground.state).history) == 2


def start(folder: Path, **settings: str) -> subprocess.Popen[str]:
    """As systemd starts it, with nothing but the standard library."""
    environ = {"PYTHONPATH": str(PROJECT), "WATCHDOG_RUNTIME_DIR": str(folder), "LOCKSTEP_LOG_FORMAT": "console"}
    environ |= {"WATCHDOG_STATE_FILE": str(folder / "state.json"), "WATCHDOG_CHECK_INTERVAL": "0.05", **settings}
    argv = [sys.executable, "-S", "-s", "-m", "migrations_app.watchdog"]
    return subprocess.Popen(argv, env=environ, cwd=folder, stderr=subprocess.PIPE, text=True)


def test_it_starts_on_the_standard_library_alone_and_ends_when_told(tmp_path: Path) -> None:
    with start(tmp_path) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(f"Watching {tmp_path}/lockstep_restart.flag, contract ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("settings", "told", "status"),
    [
        ({"WATCHDOG_STATE_FILE": "state"}, "WATCHDOG_STATE_FILE is 'state'; it wants a whole path, from the root.", 78),
        ({"WORKER_RESTART_COOLDOWN": "soon"}, "WORKER_RESTART_COOLDOWN is 'soon'; it wants a number above zero.", 78),
        (
            {"GUNICORN_BIND": "8080", "RUNTIME_CONTRACT_ENFORCE": "0"},
            "GUNICORN_BIND is '8080'; it wants one address, HOST:PORT.",
            0,
        ),
    ],
)
def test_a_contract_that_does_not_hold_stops_the_start_unless_that_is_switched_off(
    tmp_path: Path, settings: dict[str, str], told: str, status: int
) -> None:
    with start(tmp_path, **settings) as process:
        assert process.stderr is not None
        assert process.stderr.readline().strip() == told
        if status == 0:
            assert process.stderr.readline().startswith("Watching ")
            process.terminate()
        assert process.wait(20) == status
