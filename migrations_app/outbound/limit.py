"""A time after which a socket is ended, whatever its other side still drips."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Limit:
    """Ends a socket when its time is over: its own timeout begins anew with each byte that a server drips."""

    def __init__(self) -> None:
        self.over = False
        self._socket: socket.socket | None = None

    def guard(self, guarded: socket.socket) -> None:
        self._socket = guarded
        if self.over:
            self.end()

    def end(self) -> None:
        self.over = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def within(timeout_s: float) -> Iterator[Limit]:
    limit = Limit()
    timer = threading.Timer(timeout_s, limit.end)
    timer.daemon = True
    timer.start()
    try:
        yield limit
    finally:
        timer.cancel()
        timer.join()
