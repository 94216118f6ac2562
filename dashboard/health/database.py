"""Whether the control database answers, what web processes told there, and whether its tables fit this code."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import psycopg
from django.db.migrations.loader import MigrationLoader

from dashboard.health.own import LOOK_S, LOOKS, Connection
from migrations_app.health import processes
from migrations_app.health.processes import WebProcess

_NOW = "SELECT clock_timestamp()"
_APPLIED = "SELECT count(*) FROM django_migrations WHERE (app || '.' || name) = ANY(%s)"


@dataclass(frozen=True)
class DatabaseLook:
    """`processes` None: the table that they tell it in could not be read."""

    now: datetime
    latency_ms: float
    processes: tuple[WebProcess, ...] | None


def look() -> DatabaseLook:
    """Raises Away."""
    return LOOKS.ask(_look, LOOK_S)


def migrations_applied() -> bool:
    """Raises Away."""
    newest = newest_migrations()
    return LOOKS.ask(lambda conn: _count(conn, newest) == len(newest), LOOK_S)


@cache
def newest_migrations() -> tuple[str, ...]:
    """The last of each app, as the code of this process has them."""
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    return tuple(f"{app}.{name}" for app, name in graph.leaf_nodes())


def _look(conn: Connection) -> DatabaseLook:
    begun = time.monotonic()
    row = conn.execute(_NOW).fetchone()
    assert row is not None
    latency_ms = round((time.monotonic() - begun) * 1000, 2)
    return DatabaseLook(row[0], latency_ms, _processes(conn))


def _processes(conn: Connection) -> tuple[WebProcess, ...] | None:
    """A table that is locked or not there yet says nothing about the database."""
    try:
        return processes.read(conn)
    except psycopg.Error:
        if conn.closed:
            raise
        return None


def _count(conn: Connection, names: tuple[str, ...]) -> int:
    """A database that nothing was ever migrated in has none of them."""
    try:
        row = conn.execute(_APPLIED, [list(names)]).fetchone()
    except psycopg.errors.UndefinedTable:
        return 0
    return int(row[0]) if row else 0
