"""Fills the materialised views of a clone, which pg_dump does together with rows only."""

from __future__ import annotations

import psycopg
from psycopg import sql

from migrations_app.engine.errors import Refused

UNFILLED = """
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND NOT c.relispopulated ORDER BY c.oid
"""
POPULATED = """
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND c.relispopulated
"""


def populated_views(conn: psycopg.Connection) -> frozenset[str]:
    return frozenset(row[0] for row in conn.execute(POPULATED).fetchall())


def refresh_views(conn: psycopg.Connection, wanted: frozenset[str]) -> None:
    """Those that are filled in the original; one that reads another waits for it, however deep."""
    due = [row[0] for row in conn.execute(UNFILLED).fetchall() if row[0] in wanted]
    while due:
        waiting: list[str] = []
        for name in due:
            try:
                conn.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.SQL(name)))
            except psycopg.errors.ObjectNotInPrerequisiteState:
                waiting.append(name)
            except psycopg.errors.LockNotAvailable:
                raise
            except psycopg.Error as error:
                raise _not_filled(name, error) from error
        if len(waiting) == len(due):
            raise _stuck(waiting[0])
        due = waiting


def _not_filled(name: str, error: psycopg.Error) -> Refused:
    return Refused(
        "clone_failed",
        f"The materialised view {name} cannot be filled in the clone: {error.diag.message_primary}.",
        not_done="No clone was made, and nothing was changed in the target.",
        next_step="Its query has to work with the copied rows and only with what the target itself has.",
    )


def _stuck(name: str) -> Refused:
    return Refused(
        "clone_failed",
        f"The materialised view {name} reads another one that is not filled.",
        not_done="No clone was made, and nothing was changed in the target.",
        next_step="Refresh the other one in the target, or this one WITH NO DATA.",
    )
