"""What the harness does to a target while a worker is held, or in the middle of a statement."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

_BUILDING = """
SELECT a.pid FROM pg_stat_activity a JOIN pg_index i ON NOT i.indisvalid
 WHERE a.pid = %s AND a.state = 'active' AND a.wait_event_type = 'Lock' LIMIT 1
"""


_SLEEPING = "SELECT FROM pg_stat_activity WHERE pid = %s AND state = 'active' AND wait_event = 'PgSleep'"


def wait_until(what: Callable[[], bool], seconds: float, every: float = 0.02) -> bool:
    """Whether it became true in time."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(every)
    return True


def terminate(address: str, backend: int) -> None:
    with psycopg.connect(address, autocommit=True) as conn:
        conn.execute("SELECT pg_terminate_backend(%s)", [backend])


@contextmanager
def old_snapshot(address: str) -> Iterator[None]:
    """While it is open, CREATE INDEX CONCURRENTLY has built its index but may not call it valid."""
    with psycopg.connect(address, autocommit=True) as conn:
        conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        conn.execute("SELECT count(*) FROM pg_class")
        yield
        conn.execute("ROLLBACK")


@contextmanager
def locked_table(address: str) -> Iterator[None]:
    with psycopg.connect(address, autocommit=True) as conn:
        conn.execute("BEGIN")
        conn.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
        yield
        conn.execute("ROLLBACK")


def is_building(address: str, backend: int) -> bool:
    """The backend waits inside its build, an invalid index stands in the catalogue."""
    with psycopg.connect(address, autocommit=True) as conn:
        return conn.execute(_BUILDING, [backend]).fetchone() is not None


def is_sleeping(address: str, backend: int) -> bool:
    """The backend is in the middle of a slow statement."""
    with psycopg.connect(address, autocommit=True) as conn:
        return conn.execute(_SLEEPING, [backend]).fetchone() is not None
