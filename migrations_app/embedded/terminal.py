"""The terminal this process was started from: its signals to stop, and whether it is still there."""

from __future__ import annotations

import select
import signal
import sys
from collections.abc import Callable
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def on_stop(handle: Callable[[int, FrameType | None], object]) -> None:
    """Call `handle` for every signal that asks to stop, but let `nohup` have its way."""
    for signum in STOPPING:
        if signum != signal.SIGHUP or not _outlives():
            signal.signal(signum, handle)


def closed() -> Callable[[], bool]:
    """A question to ask later: whether the terminal has been closed.

    The kernel tells only the leader of the session, and a `make` in that place waits for this process instead.
    """
    if _outlives() or not sys.stdout.isatty():
        return lambda: False
    poller = select.poll()
    poller.register(sys.stdout.fileno(), 0)
    return lambda: any(event & select.POLLHUP for _, event in poller.poll(0))


def _outlives() -> bool:
    return signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
