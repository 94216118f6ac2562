"""Copies and removes clones; both touch nothing whose name is not a clone's."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import psycopg
from psycopg import sql

from migrations_app.engine.clone import creating, identity
from migrations_app.engine.clone.clone import Clone
from migrations_app.engine.clone.facts import read_database
from migrations_app.engine.clone.names import clone_name, is_clone_of, require_clone_name
from migrations_app.engine.clone.server import RehearsalServer
from migrations_app.engine.clone.source import named_failures
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.target.identity import read_identity

TRIES = 5
END_SESSIONS = """
SELECT pg_catalog.pg_terminate_backend(pid, 2000) FROM pg_catalog.pg_stat_activity
WHERE datname = %s AND pid <> pg_catalog.pg_backend_pid()
"""


def copy_clone(clone: Clone, server: RehearsalServer, *, installation: UUID, part: str) -> Clone:
    """The same clone once more, as it stands now; sessions in it are ended first, since a copy waits for none."""
    require_clone_name(clone.name)
    name = clone_name(installation, clone.uid, part)
    if name == clone.name:
        raise ValueError("a clone cannot be copied onto itself")
    drop_clone(server, name)
    with server.administer() as admin:
        try:
            like = read_database(admin, clone.name, role=clone.role)
            copy_database(admin, clone.name, name, owner=like.owner)
            creating.dress(admin, name, like, role=clone.role, report=lambda sentence: None)
            with server.administer(name) as conn:
                identity.register(
                    conn, installation=installation, clone=clone.uid, role=clone.role, original=read_identity(conn)
                )
        except BaseException:
            drop_if_possible(server, name)
            raise
    return replace(clone, name=name, dsn=clone.dsn.in_database(name))


def copy_database(admin: psycopg.Connection, old: str, new: str, *, owner: str) -> None:
    """CREATE DATABASE … TEMPLATE, which fails while anybody is connected; a session may come back in between."""
    query = from_template(admin, old, new, owner=owner)
    with named_failures("the rehearsal server"):
        for left in reversed(range(TRIES)):
            admin.execute(END_SESSIONS, [old])
            try:
                admin.execute(query)
                return
            except psycopg.errors.ObjectInUse as error:
                if not left:
                    raise _in_use(old) from error


def from_template(admin: psycopg.Connection, old: str, new: str, *, owner: str) -> sql.Composed:
    """Files are copied as they are: for 100 MB it took under half the time of the way through the log."""
    query = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
        sql.Identifier(new), sql.Identifier(owner), sql.Identifier(old)
    )
    return query + sql.SQL(" STRATEGY FILE_COPY") if admin.info.server_version >= 150000 else query


def drop_clone(server: RehearsalServer, name: str) -> None:
    """Whoever is connected to it; no error when it is gone already."""
    require_clone_name(name)
    with server.administer() as admin, named_failures("the rehearsal server"):
        if admin.execute("SELECT FROM pg_catalog.pg_database WHERE datname = %s AND datistemplate", [name]).fetchone():
            admin.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(sql.Identifier(name)))
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def drop_if_possible(server: RehearsalServer, name: str) -> None:
    """On the way out of a failure, which must not be hidden by a server that is gone; the clone is found later then."""
    with suppress(LockstepError):
        drop_clone(server, name)


def clones_on(server: RehearsalServer, installation: UUID) -> tuple[str, ...]:
    """The names of all clones of this installation on the server, half-made ones too."""
    with server.administer() as admin:
        rows = admin.execute("SELECT datname::text FROM pg_catalog.pg_database ORDER BY 1").fetchall()
    return tuple(row[0] for row in rows if is_clone_of(row[0], installation))


def _in_use(name: str) -> Refused:
    return Refused(
        "clone_in_use",
        f"The clone {name} cannot be copied: sessions keep coming back to it.",
        not_done="No copy was made.",
        next_step="See in pg_stat_activity of the rehearsal server who connects to it, then begin again.",
    )
