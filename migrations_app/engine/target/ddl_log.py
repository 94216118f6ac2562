"""Who changed a schema: event triggers in the target that write each change down, installed only where a person asks.

The log is an aid, not a proof: a superuser can switch triggers off, and whoever owns the schema can edit the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from migrations_app.engine.errors import Refused
from migrations_app.engine.target.queries import read_sql

INSTALL = read_sql("ddl_log.sql")
REMOVE = """
DROP EVENT TRIGGER IF EXISTS lockstep_ddl_end;
DROP EVENT TRIGGER IF EXISTS lockstep_ddl_drop;
DROP FUNCTION IF EXISTS lockstep.log_ddl();
DROP TABLE IF EXISTS lockstep.ddl_log;
"""
_INSTALLED = (
    "SELECT count(*) = 2 FROM pg_catalog.pg_event_trigger WHERE evtname IN ('lockstep_ddl_end', 'lockstep_ddl_drop')"
)
_LOG = """
SELECT pg_catalog.has_table_privilege(c.oid, 'SELECT')
  FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('lockstep.ddl_log')
"""
_READ = """
SELECT at, login, role, application, address, tag, object, statement
  FROM lockstep.ddl_log WHERE at > %s ORDER BY id DESC LIMIT %s
"""
MOST = 100


@dataclass(frozen=True)
class Change:
    """One logged statement. `login` signed in; `role` is what it acted as; `statement` is its beginning."""

    at: datetime
    login: str
    role: str
    application: str
    address: str
    tag: str
    object: str
    statement: str


def install(conn: psycopg.Connection) -> None:
    """Make the table, the function and both triggers, or none of them. Raises Refused("watch_refused")."""
    try:
        with conn.transaction():
            conn.execute(INSTALL)
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(
            "watch_refused",
            f"The target's user may not make event triggers: {error.diag.message_primary}.",
            not_done="Nothing was installed in the target.",
            next_step="That takes a superuser, or the role that a provider has for it. Drift is found without them "
            "too; only who changed the schema stays unknown.",
        ) from None


def remove(conn: psycopg.Connection) -> None:
    """Take away what `install` made, the log included. Raises Refused("watch_refused")."""
    try:
        with conn.transaction():
            conn.execute(REMOVE)
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(
            "watch_refused",
            f"The target's user may not remove the event triggers: {error.diag.message_primary}.",
            not_done="Nothing was removed from the target.",
            next_step="Give the environment the address of the user that installed them, or of a superuser.",
        ) from None


def installed(conn: psycopg.Connection) -> bool:
    row = conn.execute(_INSTALLED).fetchone()
    return bool(row and row[0])


def changes_since(conn: psycopg.Connection, since: datetime) -> tuple[Change, ...]:
    """Newest first; empty where there is no log or it may not be read."""
    row = conn.execute(_LOG).fetchone()
    if not (row and row[0]):
        return ()
    with conn.cursor(row_factory=class_row(Change)) as cursor:
        return tuple(cursor.execute(_READ, [since, MOST]).fetchall())
