"""Stopping is cooperative: between statements and during waits, never in the middle of a commit."""

from __future__ import annotations

import time

from migrations_app.engine.contract.events import ShouldStop
from migrations_app.engine.errors import Stopped

_LOOK_EVERY_S = 0.2


def stop_if_asked(should_stop: ShouldStop) -> None:
    """Raise Stopped when a pause, a cancel or a shutdown was asked for."""
    request = should_stop()
    if request is not None:
        raise Stopped(request.kind, request.sentence)


def pause_or_stop(seconds: float, should_stop: ShouldStop) -> None:
    """Sleep, but look for a stop request a few times a second."""
    until = time.monotonic() + seconds
    stop_if_asked(should_stop)
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_EVERY_S))
        stop_if_asked(should_stop)
