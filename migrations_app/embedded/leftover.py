"""A server that outlived a crashed start: told from a stranger that merely got its process id, then stopped.

Call only while holding the folder's lock: then whoever started the leftover is gone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from migrations_app.engine.errors import Refused

PATIENCE_SECONDS = 20.0
log = logging.getLogger(__name__)


def recorded_pid(pid_file: Path) -> int | None:
    """The process id in the first line of a pid file; None when there is none."""
    try:
        first = pid_file.read_text(errors="replace").partition("\n")[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else None


def command_of(pid: int) -> str | None:
    """The command line of a living process; None when it does not exist (a zombie has none either)."""
    if Path("/proc/self").exists():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return words.replace(b"\0", b" ").decode(errors="replace") or None
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None


def is_server(pid: int, data: Path) -> bool:
    """Whether the living process `pid` is a server on the folder `data`, which is a word of its command."""
    command = command_of(pid)
    return command is not None and f" {data} " in f"{command} "


def stop_leftover(pid_file: Path, signals: Sequence[signal.Signals]) -> None:
    """Stop the server a crashed start left in the pid file's folder; a stale file is no reason to act."""
    pid = recorded_pid(pid_file)
    if pid is None or not is_server(pid, pid_file.parent):
        return
    log.info("Process %d is a server that an earlier start left behind: stopping it.", pid)
    for signum in (*signals, signal.SIGKILL):
        if _ended(pid, pid_file.parent, signum):
            return
    raise Refused(
        "leftover_server",
        f"Process {pid}, a server left behind in {pid_file.parent}, does not stop.",
        not_done="Nothing was started.",
        next_step=f"End process {pid} by hand and start again.",
    )


def _ended(pid: int, data: Path, signum: signal.Signals) -> bool:
    with contextlib.suppress(ProcessLookupError):
        _signal(pid, signum)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_server(pid, data):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _signal(pid: int, signum: signal.Signals) -> None:
    try:
        os.kill(pid, signum)
    except PermissionError:
        raise Refused(
            "leftover_of_another_user",
            f"Process {pid}, a server left behind by an earlier start, belongs to another user.",
            not_done="Nothing was started.",
            next_step=f"End process {pid} as its owner, or start Lockstep as that user.",
        ) from None
