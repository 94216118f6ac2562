"""Somebody who carries out one thing after another, for those who wait only so long."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

T = TypeVar("T")


class TooLong(Exception):
    """Nothing came back in time. What had begun goes on; what had not is never begun."""


class Line:
    """One thread, started when it is first needed: after the fork."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = Lock()
        self._thread: ThreadPoolExecutor | None = None

    def begin(self, what: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, self.name)
            return self._thread.submit(what)

    def within(self, seconds: float, what: Callable[[], T]) -> T:
        """Raises TooLong, and whatever `what` raises."""
        return result(self.begin(what), seconds)


def result(future: Future[T], seconds: float) -> T:
    try:
        return future.result(seconds)
    except TimeoutError:
        if future.done():
            raise  # its own
        future.cancel()
        raise TooLong(f"there was no answer within {seconds:g} s") from None
