"""Cancelling what of a revision is in progress and can be undone: repairs, and what follows them, are let through."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg


class Canceller:
    """Another thread may call `cancel` at any time; it reaches a session only while that is inside `over`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._conn: psycopg.Connection | None = None

    def cancel(self) -> None:
        with self._lock:
            if self._conn is not None and not self._conn.closed:
                self._conn.cancel_safe(timeout=5)

    @contextmanager
    def over(self, conn: psycopg.Connection) -> Iterator[None]:
        with self._lock:
            self._conn = conn
        try:
            yield
        finally:
            with self._lock:
                self._conn = None
