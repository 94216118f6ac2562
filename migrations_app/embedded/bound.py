"""Become another program that dies with the process that asked for it.

Run as a plain script with the standard library only: `python -I -S bound.py PARENT SIGNAL UID GID PROGRAM …`.
It changes the user first, because the kernel forgets the death signal when the user changes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
UNCHANGED = -1


def become(uid: int, gid: int) -> None:
    """Give root up for good; -1 keeps the user as it is."""
    if uid == UNCHANGED:
        return
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(parent: int, signum: int) -> None:
    """Ask the kernel to signal this process when its parent ends; only Linux can."""
    if not sys.platform.startswith("linux"):
        return
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit("The process that started this one has already ended.")


def main(arguments: list[str]) -> None:
    """Change user, bind the fate, run the program."""
    parent, signum, uid, gid = (int(word) for word in arguments[:4])
    become(uid, gid)
    die_with(parent, signum)
    # Python ignores SIGPIPE, and an ignored signal stays ignored in the next program.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(arguments[4], arguments[4:])  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
