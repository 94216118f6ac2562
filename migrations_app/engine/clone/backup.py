"""A clone of a restored backup: by CREATE DATABASE … TEMPLATE while nobody uses the backup, else as of a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import psycopg

from migrations_app.engine.clone import creating, facts, identity, roles
from migrations_app.engine.clone.clone import Clone, CopiedTable
from migrations_app.engine.clone.copying import drop_clone, drop_if_possible, from_template
from migrations_app.engine.clone.make import make_clone
from migrations_app.engine.clone.names import clone_name
from migrations_app.engine.clone.proof import prove_equal
from migrations_app.engine.clone.sample import Sizes
from migrations_app.engine.clone.server import APPLICATION, RehearsalServer, refuse_registered, require_major
from migrations_app.engine.clone.source import named_failures, refuse_clone
from migrations_app.engine.clone.stopping import ShouldStop, stop_if_asked
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.fingerprint import CatalogueObject, catalogue, hash_of
from migrations_app.engine.target.identity import Identity, Place, read_identity, read_place


@dataclass(frozen=True)
class _Backup:
    """What was seen of it; the session that looked is closed, since a template must have none."""

    dsn: Dsn
    name: str
    user: str
    major: int
    place: Place
    identity: Identity | None
    objects: tuple[CatalogueObject, ...]


def from_backup(
    backup: Dsn,
    server: RehearsalServer,
    *,
    installation: UUID,
    clone: UUID,
    part: str = "",
    sizes: Sizes,
    report: Callable[[str], None],
    should_stop: ShouldStop,
) -> Clone:
    """`backup` leads to the restored database as the role that the target's user has there; it is never changed.

    A template is copied whole, whatever its size; `sizes` counts only where the backup is in use.
    """
    seen = _look(backup)
    name = clone_name(installation, clone, part)
    stop_if_asked(should_stop)
    with server.administer() as admin:
        require_major(server, seen.major)
        refuse_registered(admin)
        drop_clone(server, name)
        if read_place(admin).system_identifier == seen.place.system_identifier:
            try:
                if _copied(admin, seen, name):
                    return _finished(admin, server, seen, name, installation=installation, clone=clone, report=report)
            except BaseException:
                drop_if_possible(server, name)
                raise
    report("The backup is in use or on another server: it is copied like a target.")
    return make_clone(
        backup,
        server,
        installation=installation,
        clone=clone,
        part=part,
        sizes=sizes,
        report=report,
        should_stop=should_stop,
    )


def _look(backup: Dsn) -> _Backup:
    with open_session(backup, application_name=APPLICATION) as conn:
        name, user = conn.info.dbname, conn.info.user
        found = read_identity(conn)
        refuse_clone(name, found)
        return _Backup(backup, name, user, conn.info.server_version // 10000, read_place(conn), found, catalogue(conn))


def _copied(admin: psycopg.Connection, seen: _Backup, name: str) -> bool:
    """False where it cannot be a template now. Nobody's session is ended: whoever uses the backup goes on doing so."""
    like = facts.read_database(admin, seen.name, role=seen.user)
    try:
        admin.execute(from_template(admin, seen.name, name, owner=like.owner))
    except (psycopg.errors.ObjectInUse, psycopg.errors.InsufficientPrivilege):
        return False
    return True


def _finished(
    admin: psycopg.Connection,
    server: RehearsalServer,
    seen: _Backup,
    name: str,
    *,
    installation: UUID,
    clone: UUID,
    report: Callable[[str], None],
) -> Clone:
    like = facts.read_database(admin, seen.name, role=seen.user)
    with named_failures("the rehearsal server"):
        dsn = roles.login_dsn(server, admin, source=seen.dsn, place=seen.place, role=seen.user, ours=False, name=name)
        creating.dress(admin, name, like, role=seen.user, report=report)
        with server.administer(name) as conn:
            creating.close_ways_out(conn, facts.read_mappings(conn))
            identity.register(conn, installation=installation, clone=clone, role=seen.user, original=seen.identity)
            conn.execute("ANALYZE")
            tables = tuple(_whole(table) for table in facts.read_tables(conn) if not table.partitioned)
    fingerprint = prove_equal(seen.objects, dsn)
    return Clone(name, dsn, clone, seen.user, fingerprint, str(hash_of(seen.objects)), tables)


def _whole(table: facts.Table) -> CopiedTable:
    """Counted by ANALYZE just now, which is exact unless the table is large."""
    rows = max(table.estimate, 0)
    return CopiedTable(table.name, rows, rows, table.bytes, whole=True, bytes=table.bytes)
