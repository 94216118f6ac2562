"""Bound programs: who they run as, what ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from migrations_app.embedded.account import server_account
from migrations_app.embedded.spawn import end, run_as, spawn
from migrations_app.engine.errors import Refused
from tests.embedded.waiting import is_alive, wait_until

DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
PARENT = """
import signal, sys, time
from migrations_app.embedded.spawn import spawn
print(spawn(["sleep", "60"], die_with=signal.SIGKILL).pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can lend a user")
def test_it_gives_root_up_for_good() -> None:
    account = server_account()
    assert account is not None
    shown = run_as(["id"], account=account, cwd=Path("/"))
    groups = f"gid={account.gid}({account.name}) groups={account.gid}({account.name})"
    assert shown.stdout.strip() == f"uid={account.uid}({account.name}) {groups}"


def test_it_runs_as_the_present_user_otherwise() -> None:
    shown = run_as(["id", "-u"], account=None, cwd=Path("/"))
    assert shown.stdout.strip() == str(os.getuid())


def test_it_dies_with_a_killed_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_until(lambda: b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes(), "it became the program")
        parent.kill()
    wait_until(lambda: not is_alive(pid), "it follows its parent")


def test_it_leads_a_session_of_its_own() -> None:
    process = spawn(["sleep", "60"], die_with=signal.SIGKILL)
    assert os.getsid(process.pid) == process.pid
    end(process, [], patience=5.0)


def test_it_is_refused_outside_the_main_thread() -> None:
    """The kernel would end the program together with that thread."""
    caught: list[Refused] = []

    def start() -> None:
        with pytest.raises(Refused) as refusal:
            spawn(["sleep", "60"], die_with=signal.SIGKILL)
        caught.append(refusal.value)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert caught[0].code == "spawn_outside_main_thread"


def test_ending_has_sigkill_as_the_last_word() -> None:
    process = spawn([sys.executable, "-c", DEAF], die_with=signal.SIGKILL, output=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"deaf\n"
        end(process, [signal.SIGTERM], patience=0.2)
    assert process.returncode == -signal.SIGKILL


def test_ending_what_has_ended_does_nothing() -> None:
    process = spawn(["true"], die_with=signal.SIGKILL)
    process.wait()
    end(process, [signal.SIGTERM], patience=0.2)
    assert process.returncode == 0
