"""A probe of lockstep-boot takes nothing from the command, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.releases.boot.lockstep_boot import argv, environment, gate, not_yet, script
from tests.waiting import until

ALLOW = (200, {"allow": True})
# It is left a child that has ended, as a container's first process is.
HEIR = """
import os, sys
child = os.fork() or os._exit(0)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
os.execv(sys.argv[1], sys.argv[1:])
"""
CHILDREN = """
import os
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("none")
"""


def heard(fifo: int) -> bytes | None:
    """Nothing while somebody holds its other end in silence; empty once nobody does."""
    try:
        return os.read(fifo, 100)
    except BlockingIOError:
        return None


def opened(fifo: Path) -> int:
    os.mkfifo(fifo)
    return os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)


def test_a_probe_does_not_take_what_the_command_is_given() -> None:
    with gate(ALLOW) as told:
        command = argv(told.url, "--probe", "cat", "--", "cat")
        done = subprocess.run(
            command, env=environment(), input="given", stdout=subprocess.PIPE, text=True, timeout=30, check=False
        )
    assert (done.stdout, "probes=ok" in told.asked[0]) == ("given", True)


def test_a_probe_that_takes_too_long_ends_with_all_that_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fifo = opened(tmp_path / "fifo")
    boot = script()
    monkeypatch.setattr(boot, "TIMEOUT_S", 0.5)
    assert boot.probes(f"sh -c 'sleep 60 >{tmp_path}/fifo & wait' hidden-word") == "fail"
    assert capfd.readouterr().err.endswith("lockstep-boot: the probe did not end within 0.5 s\n")
    until(lambda: heard(fifo) == b"", what="what the probe has started has ended")
    os.close(fifo)


def test_a_probe_ends_with_who_asked_for_it(tmp_path: Path) -> None:
    fifo = opened(tmp_path / "fifo")
    with gate((409, not_yet())) as told:
        command = argv(told.url, "--probe", f"sh -c 'exec >{tmp_path}/fifo; echo up; sleep 60 & wait'")
        process = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL)
        until(lambda: heard(fifo) == b"up\n", what="the probe runs")
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 143
    until(lambda: heard(fifo) == b"", what="the probe has ended")
    os.close(fifo)


def test_children_that_it_was_left_are_none_of_the_command_s() -> None:
    with gate(ALLOW) as told:
        started = argv(told.url, "--", sys.executable, "-c", CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", HEIR, *started],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, "none\n"), done.stderr
