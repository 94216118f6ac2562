"""Start a program whose life is bound to this process: it ends when this process ends, even by SIGKILL."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from migrations_app.embedded.account import Account
from migrations_app.embedded.bound import UNCHANGED
from migrations_app.engine.errors import Refused

BOUND = Path(__file__).with_name("bound.py")


def bound_command(argv: Sequence[str], *, die_with: signal.Signals, account: Account | None) -> list[str]:
    """The command line that runs `argv` as `account`, bound to this process."""
    uid, gid = (account.uid, account.gid) if account else (UNCHANGED, UNCHANGED)
    # Found here, with this user's rights: afterwards Python may be unable to load another module.
    program = shutil.which(argv[0]) or argv[0]
    words = [os.getpid(), die_with.value, uid, gid, program, *argv[1:]]
    return [sys.executable, "-I", "-S", str(BOUND), *(str(word) for word in words)]


def spawn(
    argv: Sequence[str],
    *,
    die_with: signal.Signals,
    account: Account | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    output: IO[bytes] | int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start `argv` in its own session, so that Ctrl-C in a terminal reaches only this process."""
    if threading.current_thread() is not threading.main_thread():
        raise Refused(
            "spawn_outside_main_thread",
            "A bound program was to be started from a thread other than the main one.",
            not_done="It was not started.",
            next_step="Start it from the main thread: the kernel ends it with the thread that started it.",
        )
    return subprocess.Popen(
        bound_command(argv, die_with=die_with, account=account),
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        umask=0o077 if account else -1,
    )


def run_as(argv: Sequence[str], *, account: Account | None, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a short program to its end as `account` and keep what it prints."""
    return subprocess.run(
        bound_command(argv, die_with=signal.SIGKILL, account=account),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def end(process: subprocess.Popen[bytes], signals: Sequence[signal.Signals], *, patience: float) -> None:
    """Send each signal in turn until the process has ended; SIGKILL has the last word."""
    for signum in (*signals, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(signum)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
