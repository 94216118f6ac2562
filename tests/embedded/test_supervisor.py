"""Keeping parts running, and leaving nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from migrations_app.embedded import program, session, supervisor
from migrations_app.embedded.supervisor import Running, Supervisor
from migrations_app.engine.errors import Refused
from tests.embedded.waiting import is_alive, wait_until

SLEEP = "import time; time.sleep(60)"
# A program with a child in a process group of its own, as a job's process is.
FAMILY = """
import os, subprocess, time
child = subprocess.Popen(["sleep", "60"], process_group=0)
print(child.pid, flush=True)
time.sleep(60)
"""
HOUSE = """
import sys
from pathlib import Path
from migrations_app.embedded import postgres, program
from migrations_app.embedded.supervisor import Supervisor
import os
with Supervisor() as keeper:
    server = keeper.add("PostgreSQL", lambda: postgres.start(Path(sys.argv[1]), 18, fast=True))
    keeper.add("web", lambda: program.run("web", [sys.executable, "-c", sys.argv[2]], env=dict(os.environ),
        cwd=Path("/")))
    print(server.pid, flush=True)
    keeper.watch()
"""


class Enough(Exception):
    """Ends a watch."""


def sleeper(code: str = SLEEP, heard: list[str] | None = None) -> Callable[[], Running]:
    lines = heard if heard is not None else []
    return lambda: program.run(
        "part",
        [sys.executable, "-c", code],
        env=dict(os.environ),
        cwd=Path("/"),
        patience=5.0,
        hear=lambda _name, line: lines.append(line),
    )


def watch_until(keeper: Supervisor, condition: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    deadline = time.monotonic() + 30

    def nap(_: float) -> None:
        assert time.monotonic() < deadline
        if condition():
            raise Enough

    with monkeypatch.context() as patch:
        patch.setattr("time.sleep", nap)
        with pytest.raises(Enough):
            keeper.watch()


def test_leaving_it_stops_every_part() -> None:
    with Supervisor() as keeper:
        pids = [keeper.add(f"part-{number}", sleeper()).pid for number in range(3)]
        assert all(is_alive(pid) for pid in pids)
    assert not any(is_alive(pid) for pid in pids)


def test_what_dies_starts_again_and_the_line_names_the_signal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Supervisor() as keeper:
        first = keeper.add("part", sleeper())
        os.kill(first.pid, signal.SIGKILL)
        part = keeper.parts[0]
        watch_until(keeper, lambda: part.running is not None and part.running is not first, monkeypatch)
        assert part.running is not None
        second = part.running.pid
        assert is_alive(second)
    said = capsys.readouterr().out
    assert f"part (process {first.pid}) ended with signal SIGKILL; starting it again in 0.5 s." in said
    assert f"part runs again (process {second})." in said


def test_what_keeps_dying_starts_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.01)
    with Supervisor() as keeper:
        keeper.add("part", sleeper("raise SystemExit(3)"))
        part = keeper.parts[0]
        part.pause = 0.01
        watch_until(keeper, lambda: part.pause >= 0.08, monkeypatch)
    assert capsys.readouterr().out.count("ended with exit status 3") >= 3


def test_a_refused_restart_is_tried_again(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    starts = [sleeper(), _refuse, sleeper()]
    with Supervisor() as keeper:
        first = keeper.add("part", lambda: starts.pop(0)())
        os.kill(first.pid, signal.SIGKILL)
        watch_until(keeper, lambda: not starts, monkeypatch)
    assert "part did not start: No room." in capsys.readouterr().out


def _refuse() -> Running:
    raise Refused("no_room", "No room.")


def test_a_first_start_that_is_refused_is_the_callers() -> None:
    with Supervisor() as keeper, pytest.raises(Refused, match="No room"):
        keeper.add("part", _refuse)


def test_a_dead_programs_descendants_go_before_it_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    with Supervisor() as keeper:
        first = keeper.add("part", sleeper(FAMILY, heard))
        wait_until(lambda: heard, "the child is born")
        os.kill(first.pid, signal.SIGKILL)
        watch_until(keeper, lambda: len(heard) == 2, monkeypatch)
        assert not is_alive(int(heard[0]))
        assert is_alive(int(heard[1]))
    assert not is_alive(int(heard[1]))


def test_hurry_gives_programs_no_more_time() -> None:
    heard: list[str] = []
    with Supervisor() as keeper:
        running = keeper.add("part", sleeper(FAMILY, heard))
        wait_until(lambda: heard, "the child is born")
        keeper.hurry()
        wait_until(lambda: running.poll() is not None, "it ends")


def test_a_killed_supervisor_leaves_nothing(folder: Path) -> None:
    """The program here ignores its orders and its child has a process group of its own."""
    deaf = f"import signal; signal.signal(15, signal.SIG_IGN)\n{FAMILY}"
    with subprocess.Popen(
        [sys.executable, "-c", HOUSE, str(folder), deaf],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "LOCKSTEP_GUARD_SECONDS": "1"},
    ) as house:
        assert house.stdout is not None
        lines = [house.stdout.readline().strip() for _ in range(2)]
        server = int(next(line for line in lines if "|" not in line))
        child = int(next(line for line in lines if "|" in line).rpartition("|")[2])
        program_session = os.getsid(child)
        house.kill()
    wait_until(lambda: not is_alive(server), "the server ends")
    wait_until(lambda: not session.members({program_session}), "the guard ends what stayed")
    assert not is_alive(child)


def test_what_has_something_to_do_once_is_left_out_when_it_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Supervisor() as keeper:
        kept = keeper.add("part", sleeper())
        keeper.add_later("task", sleeper("print('done')"), once=True)
        keeper.add_later("other task", sleeper("raise SystemExit(3)"), once=True)
        watch_until(keeper, lambda: len(keeper.parts) == 1, monkeypatch)
        assert kept.poll() is None
    said = capsys.readouterr().out
    assert "other task ended with exit status 3; it is not started again." in said
    assert "  task ended" not in said
