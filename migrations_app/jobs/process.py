"""Processes that must not outlive their parent, and those that are gone."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import socket
import sys
from pathlib import Path

from django.conf import settings
from django.db import connections

_PR_SET_PDEATHSIG = 1
_FIRST_PID_NAMESPACE = "pid:[4026531836]"  # the kernel's constant for a machine without containers


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel for SIGKILL when the parent goes; on other systems than Linux the lease does the same, later."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def machine() -> str:
    """Where process ids mean something: the host, and the container if it shares the host's name with others."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = _FIRST_PID_NAMESPACE
    inside = "" if namespace == _FIRST_PID_NAMESPACE else f"/{namespace[5:-1]}"
    return f"{socket.gethostname()}{inside}"


def is_gone(pid: int) -> bool:
    """Whether no such process works here any more; a stopped one does, one that waits to be buried does not."""
    try:
        os.kill(pid, 0)
        return (
            sys.platform == "linux" and (Path("/proc") / str(pid) / "stat").read_text().rpartition(") ")[2][0] in "ZX"
        )
    except PermissionError:
        return False
    except (ProcessLookupError, FileNotFoundError):
        return True


def keep_what_is_loaded() -> None:
    """What is loaded by now stays: neither this process nor one that it forks looks through it for garbage."""
    gc.collect()
    gc.freeze()


def end_idle_transactions() -> None:
    """Have the server end this process's open transactions when it falls silent.

    A process that is stopped in the middle of one would otherwise keep its rows locked, so that nobody could take
    its run over; half a lease is long enough for a live one.
    """
    limit = f"-c idle_in_transaction_session_timeout={int(settings.LOCKSTEP_LEASE_SECONDS * 500)}"
    options = connections["default"].settings_dict["OPTIONS"]
    if limit not in options.get("options", ""):
        options["options"] = f"{options.get('options', '')} {limit}".strip()


def close_database_connections() -> None:
    """Before a fork: a connection or pool that crosses it would be shared by both processes."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if getattr(connection, "pool", None):
            connection.close_pool()  # type: ignore[attr-defined]
