"""Statements that wait in the background, and patience until the server says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg


@contextmanager
def waiting(conn: psycopg.Connection, statement: str, watcher: psycopg.Connection) -> Iterator[int]:
    """Run a statement that waits for a lock; yields its pid once it does, cancels it in the end."""

    def run() -> None:
        try:
            conn.execute(statement)
        except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable, psycopg.OperationalError):
            return

    pid = conn.info.backend_pid
    thread = threading.Thread(target=run)
    thread.start()
    try:
        until(lambda: _waits(watcher, pid))
        yield pid
    finally:
        watcher.execute("SELECT pg_cancel_backend(%s)", [pid])
        thread.join(timeout=20)
        assert not thread.is_alive()


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Look until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def _waits(watcher: psycopg.Connection, pid: int) -> bool:
    found = watcher.execute("SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted", [pid])
    return found.fetchone() is not None
