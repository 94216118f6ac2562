"""Processes by session: every child of the supervisor leads one, and its descendants stay in it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

TICK_SECONDS = 0.1


def members(sessions: set[int]) -> set[int]:
    """The living processes of these sessions; empty where there is no /proc to ask."""
    return {pid for pid, session in _living() if session in sessions}


def _living() -> list[tuple[int, int]]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            # The program's name stands in brackets and may hold anything, brackets too.
            state, _parent, _group, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if state not in "ZX":
                found.append((int(folder.name), int(session)))
    return found


def wait_until_empty(sessions: set[int], *, patience: float) -> bool:
    """Whether every process of these sessions ended in time."""
    deadline = time.monotonic() + patience
    while members(sessions):
        if time.monotonic() > deadline:
            return False
        time.sleep(TICK_SECONDS)
    return True


def kill(sessions: set[int]) -> int:
    """End what still lives in these sessions at once, leaders first: none sees its child die and goes on from there.

    Returns how many that were.
    """
    found = members(sessions)
    for pid in sorted(found, key=lambda pid: pid not in sessions):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return len(found)
