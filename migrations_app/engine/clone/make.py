"""Makes a clone of a target: its schema, its rows or a sample of them, its sequences; and proves that it is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import psycopg
from psycopg import sql

from migrations_app.engine.clone import creating, identity, programs, roles
from migrations_app.engine.clone.clone import Clone, CopiedTable
from migrations_app.engine.clone.closure import Closure
from migrations_app.engine.clone.copying import drop_clone, drop_if_possible
from migrations_app.engine.clone.names import clone_name
from migrations_app.engine.clone.populate import refresh_views
from migrations_app.engine.clone.proof import prove_equal
from migrations_app.engine.clone.rows import copy_positions, count_rows, stream
from migrations_app.engine.clone.sample import Choice, Sizes, choose
from migrations_app.engine.clone.server import RehearsalServer, refuse_registered, require_major
from migrations_app.engine.clone.source import Source, named_failures, open_source
from migrations_app.engine.clone.stopping import ShouldStop, stop_if_asked
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.dsn import Dsn

__all__ = ["Clone", "CopiedTable", "Sizes", "make_clone"]


def make_clone(
    source: Dsn,
    server: RehearsalServer,
    *,
    installation: UUID,
    clone: UUID,
    part: str = "",
    sizes: Sizes,
    report: Callable[[str], None],
    should_stop: ShouldStop,
) -> Clone:
    """1. Look at both servers. 2. Create the database. 3. Schema, rows, indexes. 4. Register and compare.

    Whatever happens on the way, no half-made clone is left behind; the original is only read.
    """
    name = clone_name(installation, clone, part)
    with open_source(source) as original, server.administer() as admin:
        require_major(server, original.major)
        refuse_registered(admin)
        creating.require_extensions(admin, original.extensions)
        dsn = _roles_ready(admin, server, original, name)
        build = _Build(original, server, name, sizes, report, should_stop)
        try:
            try:
                tables = build.afresh(admin, installation, clone)
            except Refused as refusal:
                if refusal.code != "clone_failed":
                    raise
                report(f"{refusal.message} Once more with the search_path of {original.user}.")
                tables = replace(build, search_path=original.search_path).afresh(admin, installation, clone)
            fingerprint = prove_equal(original.objects, dsn)
        except BaseException:
            drop_if_possible(server, name)
            raise
    return Clone(name, dsn, clone, original.user, fingerprint, original.fingerprint, tables)


def _roles_ready(admin: psycopg.Connection, server: RehearsalServer, original: Source, name: str) -> Dsn:
    with named_failures("the rehearsal server"):
        secret = roles.derived_password(server.dsn, original.user)
        ours = roles.ensure_roles(admin, original.roles, login=original.user, secret=secret)
    return roles.login_dsn(
        server, admin, source=original.dsn, place=original.place, role=original.user, ours=ours, name=name
    )


@dataclass(frozen=True)
class _Build:
    original: Source
    server: RehearsalServer
    name: str
    sizes: Sizes
    report: Callable[[str], None]
    should_stop: ShouldStop
    search_path: str = ""

    def afresh(self, admin: psycopg.Connection, installation: UUID, clone: UUID) -> tuple[CopiedTable, ...]:
        """The database, made and filled; one of that name is dropped before."""
        original = self.original
        drop_clone(self.server, self.name)
        creating.create_database(admin, self.name, original.database)
        creating.dress(admin, self.name, original.database, role=original.user, report=self.report)
        return self._fill(installation, clone)

    def _fill(self, installation: UUID, clone: UUID) -> tuple[CopiedTable, ...]:
        archive = programs.dump_schema(
            self.server.programs, self.original.dsn, snapshot=self.original.snapshot, should_stop=self.should_stop
        )
        schemas = archive.only(lambda entry: entry.startswith("SCHEMA "))
        # With its user mapping a foreign server would let a clone write to where the original does.
        rest = archive.only(lambda entry: not entry.startswith(("SCHEMA ", "USER MAPPING ")))
        with self.server.administer(self.name) as conn:
            self._restore(schemas, "pre-data")
            for session in (self.original.conn, conn):
                session.execute("SELECT pg_catalog.set_config('search_path', %s, false)", [self.search_path])
            creating.prepare(conn, schemas=self.original.schemas, extensions=self.original.extensions)
            self._restore(rest, "pre-data")
            tables = self._copy_rows(conn)
            self.report("Building indexes and constraints.")
            self._restore(rest, "post-data")
            self._finish(conn, installation, clone)
            return _with_bytes(conn, tables)

    def _restore(self, archive: programs.Archive, section: str) -> None:
        programs.restore(
            self.server.programs,
            self.server.admin_dsn(self.name),
            archive,
            section=section,
            search_path=self.search_path,
            should_stop=self.should_stop,
        )

    def _copy_rows(self, conn: psycopg.Connection) -> tuple[CopiedTable, ...]:
        original = self.original
        with named_failures("the target"):
            choices = choose(original.conn, original.tables, original.foreign_keys, self.sizes)
        copied: dict[int, int] = {}
        for number, choice in enumerate(choices, 1):
            self.report(
                f"Copying {choice.table.name} ({number} of {len(choices)}{'' if choice.whole else ', a sample'})."
            )
            if choice.table.configuration and not choice.table.condition:
                # What CREATE EXTENSION wrote there would stand beside the target's.
                conn.execute(sql.SQL("DELETE FROM {}").format(choice.table.itself))
            copied[choice.table.oid] = stream(
                original.conn,
                conn,
                choice.select,
                choice.table,
                encoding=original.database.encoding,
                should_stop=self.should_stop,
            )
        sampled = frozenset(choice.table.oid for choice in choices if not choice.whole)
        held = dict(copied)
        if sampled:
            self._close(conn, sampled)
            held = {choice.table.oid: count_rows(conn, choice.table) for choice in choices}
        copy_positions(original.conn, conn, original.sequences)
        return tuple(_copied(choice, copied[choice.table.oid], held[choice.table.oid]) for choice in choices)

    def _close(self, conn: psycopg.Connection, sampled: frozenset[int]) -> None:
        tables = {table.oid: table for table in self.original.tables}
        encoding = self.original.database.encoding
        closure = Closure(self.original.conn, conn, tables, encoding=encoding, should_stop=self.should_stop)
        with named_failures("the sample"):
            closure.complete(self.original.foreign_keys, sampled=sampled, report=self.report)

    def _finish(self, conn: psycopg.Connection, installation: UUID, clone: UUID) -> None:
        stop_if_asked(self.should_stop)
        with named_failures("the clone"):
            refresh_views(conn, self.original.filled_views)
            creating.close_ways_out(conn, self.original.mappings)
            identity.register(
                conn,
                installation=installation,
                clone=clone,
                role=self.original.user,
                original=self.original.identity,
            )
            stop_if_asked(self.should_stop)
            conn.execute("ANALYZE")


def _with_bytes(conn: psycopg.Connection, tables: Sequence[CopiedTable]) -> tuple[CopiedTable, ...]:
    found = conn.execute(
        "SELECT name, pg_catalog.pg_table_size(name::regclass) FROM unnest(%s::text[]) name",
        [[table.name for table in tables]],
    )
    sizes: dict[str, int] = dict(found.fetchall())
    return tuple(replace(table, bytes=sizes[table.name]) for table in tables)


def _copied(choice: Choice, read: int, held: int) -> CopiedTable:
    target_rows = read if choice.whole else max(choice.target_rows, held)
    return CopiedTable(choice.table.name, held, target_rows, choice.table.bytes, choice.whole)
