"""The one session that reads the original: a read-only snapshot, shared with pg_dump, so that all of it fits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from migrations_app.engine.clone import facts
from migrations_app.engine.clone.names import is_clone
from migrations_app.engine.clone.populate import populated_views
from migrations_app.engine.clone.server import APPLICATION
from migrations_app.engine.errors import ConnectionLost, LockExhausted, LockstepError, Refused
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.fingerprint import CatalogueObject, catalogue, hash_of
from migrations_app.engine.target.identity import Identity, Place, read_identity, read_place

LOCK_TIMEOUT = "2s"

# Row security off means an error instead of missing rows; with an empty path every name is printed in full.
SETTINGS = """
SELECT pg_catalog.set_config('search_path', '', true), pg_catalog.set_config('lock_timeout', %s, true),
       pg_catalog.set_config('row_security', 'off', true), pg_catalog.set_config('statement_timeout', '0', true),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true)
"""
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"


@dataclass(frozen=True)
class Source:
    """What the snapshot shows, and the session that keeps it."""

    conn: psycopg.Connection
    dsn: Dsn
    snapshot: str
    user: str
    place: Place
    major: int
    database: facts.Database
    identity: Identity | None
    roles: tuple[facts.Role, ...]
    extensions: tuple[facts.Extension, ...]
    schemas: frozenset[str]
    search_path: str
    tables: tuple[facts.Table, ...]
    foreign_keys: tuple[facts.ForeignKey, ...]
    sequences: tuple[facts.Sequence, ...]
    mappings: tuple[str, ...]
    filled_views: frozenset[str]
    objects: tuple[CatalogueObject, ...]

    @property
    def fingerprint(self) -> str:
        return str(hash_of(self.objects))


@contextmanager
def open_source(dsn: Dsn) -> Iterator[Source]:
    """The transaction ends with the block; nothing in it writes."""
    with open_session(dsn, application_name=APPLICATION) as conn:
        conn.execute(BEGIN)
        try:
            with named_failures("the target"):
                source = _read(conn, dsn)
            yield source
        finally:
            if not conn.closed:
                conn.rollback()


def _read(conn: psycopg.Connection, dsn: Dsn) -> Source:
    [(search_path,)] = conn.execute("SELECT pg_catalog.current_setting('search_path')").fetchall()
    conn.execute(SETTINGS, [LOCK_TIMEOUT])
    if conn.info.server_version >= 170000:
        conn.execute("SET LOCAL transaction_timeout = 0")
    name, user, snapshot = _one(conn, "SELECT current_database(), current_user, pg_catalog.pg_export_snapshot()")
    identity = read_identity(conn)
    refuse_clone(name, identity)
    return Source(
        conn=conn,
        dsn=dsn,
        snapshot=snapshot,
        user=user,
        place=read_place(conn),
        major=conn.info.server_version // 10000,
        database=facts.read_database(conn, name, role=user),
        identity=identity,
        roles=facts.read_roles(conn),
        extensions=facts.read_extensions(conn),
        schemas=frozenset(row[0] for row in conn.execute("SELECT nspname FROM pg_catalog.pg_namespace").fetchall()),
        search_path=search_path,
        tables=facts.read_tables(conn),
        foreign_keys=facts.read_foreign_keys(conn),
        sequences=facts.read_sequences(conn),
        mappings=facts.read_mappings(conn),
        filled_views=populated_views(conn),
        objects=catalogue(conn),
    )


@contextmanager
def named_failures(where: str) -> Iterator[None]:
    """Give what PostgreSQL says while cloning one of our names."""
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        failure: LockstepError = LockExhausted(
            "source_locked",
            f"Another session keeps a table of {where} locked.",
            not_done="No clone was made, and nothing was changed in the target.",
            next_step="Wait until that session is done, then try again.",
        )
        raise failure from error
    except psycopg.OperationalError as error:
        if error.sqlstate is not None and not error.sqlstate.startswith(("08", "57P")):
            raise _failed(where, error) from error
        raise ConnectionLost(
            "connection_lost",
            f"The connection to {where} was lost while its clone was made.",
            not_done="No clone was made, and nothing was changed in the target.",
            next_step="Begin again when the server answers.",
        ) from error
    except psycopg.Error as error:
        raise _failed(where, error) from error


def _failed(where: str, error: psycopg.Error) -> Refused:
    said = error.diag.message_primary or type(error).__name__
    about = f" ({error.diag.context.splitlines()[0][:200]})" if error.diag.context else ""
    return Refused(
        "clone_failed",
        f"PostgreSQL said of {where}: {said}{about}.",
        not_done="No clone was made, and nothing was changed in the target.",
        next_step="What it names has to work on the rehearsal server too; correct it there or in the target.",
    )


def refuse_clone(name: str, identity: Identity | None) -> None:
    if not is_clone(name):
        return
    of_whom = f", the clone of {identity.spoken}" if identity else ""
    raise Refused(
        "source_is_a_clone",
        f"{name} is itself a clone made for a rehearsal{of_whom}.",
        not_done="No clone was made.",
        next_step="Use the address of the environment's own database.",
    )


def _one(conn: psycopg.Connection, query: str) -> tuple[str, str, str]:
    row = conn.execute(query).fetchone()
    assert row is not None
    return row[0], row[1], row[2]
