"""Makes Lockstep's own schema exist in a target, once, whoever comes first."""

from __future__ import annotations

from pathlib import Path

import psycopg

from migrations_app.engine.errors import Refused

# First key of every advisory lock Lockstep takes in a target. Locks are per database, so constants do.
TARGET_KEY = 7060
BOOTSTRAP_KEY = (TARGET_KEY, 2)

_SCHEMA = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
_COMPLETE = "to_regprocedure('lockstep.refuse()') IS NOT NULL AND to_regclass('lockstep.identity') IS NOT NULL"


def has_objects(conn: psycopg.Connection) -> bool:
    """Whether Lockstep's schema stands complete in this database."""
    row = conn.execute(f"SELECT {_COMPLETE}").fetchone()
    return bool(row and row[0])


def ensure_objects(conn: psycopg.Connection) -> bool:
    """Create what is missing, in one transaction; True when this call created it.

    Raises Refused("foreign_schema") when a schema named lockstep exists that is not ours.
    """
    if has_objects(conn):
        return False
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s, %s)", BOOTSTRAP_KEY)
        if has_objects(conn):
            return False
        _refuse_foreign_schema(conn)
        conn.execute(_SCHEMA)
    return True


def _refuse_foreign_schema(conn: psycopg.Connection) -> None:
    row = conn.execute("SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('lockstep')").fetchone()
    if row and row[0]:
        raise Refused(
            "foreign_schema",
            "The target has a schema named lockstep with objects that Lockstep did not make.",
            not_done="Nothing was changed in it.",
            next_step="Move that schema out of the way (ALTER SCHEMA lockstep RENAME TO …) and try again.",
        )
