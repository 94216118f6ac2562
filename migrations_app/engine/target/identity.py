"""The row in each target that says which environment it is, so that no run lands in a copy or a stranger.

The row also names the place it was written in: a restored dump carries the row along, but not the place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from migrations_app.engine.errors import Refused

TABLE_EXISTS = """
SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'lockstep' AND c.relname = 'identity'
"""
READ = """
SELECT installation, environment, service, name, system_identifier, database_oid, registered_at
FROM lockstep.identity WHERE id = 1
"""
CLAIM = """
INSERT INTO lockstep.identity (installation, environment, service, name, system_identifier, database_oid)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING
"""
ADOPT = """
UPDATE lockstep.identity
SET installation = %s, environment = %s, service = %s, name = %s, system_identifier = %s, database_oid = %s,
    registered_at = clock_timestamp()
WHERE id = 1 AND environment = %s AND system_identifier = %s AND database_oid = %s
"""


@dataclass(frozen=True)
class Place:
    """Where a session is. The identifier is empty where the role may not call pg_control_system()."""

    system_identifier: str
    database_oid: int


@dataclass(frozen=True)
class Identity:
    """Which environment this database was registered as, and where that happened."""

    installation: UUID
    environment: UUID
    service: str
    name: str
    system_identifier: str
    database_oid: int
    registered_at: datetime

    @property
    def spoken(self) -> str:
        return f"service {self.service}, environment {self.name}"

    def written_at(self, place: Place) -> bool:
        """An unknown identifier on either side leaves only the database's oid to compare."""
        known = "" not in (self.system_identifier, place.system_identifier)
        if known and self.system_identifier != place.system_identifier:
            return False
        return self.database_oid == place.database_oid


def read_identity(conn: psycopg.Connection) -> Identity | None:
    """None for a database that Lockstep has never seen."""
    if conn.execute(TABLE_EXISTS).fetchone() is None:
        return None
    with conn.cursor(row_factory=class_row(Identity)) as cursor:
        return cursor.execute(READ).fetchone()


def claim_identity(
    conn: psycopg.Connection, *, installation: UUID, environment: UUID, service: str, name: str
) -> Identity:
    """Register this database as this environment. Of two at once the second waits, then reads who won."""
    place = read_place(conn)
    conn.execute(CLAIM, [installation, environment, service, name, place.system_identifier, place.database_oid])
    return check_identity(conn, environment=environment)


def adopt_identity(
    conn: psycopg.Connection, *, installation: UUID, environment: UUID, service: str, name: str
) -> Identity:
    """Register a copy, or a database that moved, under a new name and place; its receipts stay."""
    place, old = read_place(conn), read_identity(conn)
    if old is None:
        raise _missing()
    if old.written_at(place) and old.environment != environment:
        raise _other(old)
    new_row = (installation, environment, service, name, place.system_identifier, place.database_oid)
    as_read = (old.environment, old.system_identifier, old.database_oid)
    conn.execute(ADOPT, new_row + as_read)
    return check_identity(conn, environment=environment)


def release_identity(conn: psycopg.Connection, *, environment: UUID) -> bool:
    """Take the row away if it is this environment's; True when it was."""
    if conn.execute(TABLE_EXISTS).fetchone() is None:
        return False
    found = conn.execute("DELETE FROM lockstep.identity WHERE environment = %s", [environment])
    return found.rowcount == 1


def check_identity(conn: psycopg.Connection, *, environment: UUID) -> Identity:
    """The row, if this database is that environment in the place where it was registered."""
    identity = read_identity(conn)
    if identity is None:
        raise _missing()
    if not identity.written_at(read_place(conn)):
        raise _copy(identity)
    if identity.environment != environment:
        raise _other(identity)
    return identity


def read_place(conn: psycopg.Connection) -> Place:
    """Which cluster and database this session is in."""
    row = conn.execute(
        "SELECT oid::bigint, has_function_privilege('pg_control_system()', 'EXECUTE') "
        "FROM pg_catalog.pg_database WHERE datname = current_database()"
    ).fetchone()
    assert row is not None
    if not row[1]:
        return Place("", row[0])
    known = conn.execute("SELECT system_identifier::text FROM pg_catalog.pg_control_system()").fetchone()
    assert known is not None
    return Place(known[0], row[0])


def _missing() -> Refused:
    return Refused(
        "identity_missing",
        "This database does not say which environment it is.",
        not_done="Nothing was changed in the target.",
        next_step="Check the address. If it is right, prove the environment again to register it.",
    )


def _copy(identity: Identity) -> Refused:
    return Refused(
        "restored_copy",
        f"This database is a copy of {identity.spoken}, made from a backup or moved to another place.",
        not_done="Nothing was changed in the target.",
        next_step="Check the address. If the copy is meant to be this environment from now on, adopt it.",
    )


def _other(identity: Identity) -> Refused:
    return Refused(
        "other_environment",
        f"This database belongs to {identity.spoken}.",
        not_done="Nothing was changed in the target.",
        next_step="Use the address of this environment's own database.",
    )
