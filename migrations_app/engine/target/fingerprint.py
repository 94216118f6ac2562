"""A database's schema as one hash: equal hashes mean that a revision will meet what was rehearsed.

What counts and what does not is told in docs/fingerprint.md. Comparable within one version of the query and one
major version of PostgreSQL only, since each writes definitions its own way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import psycopg
from psycopg.rows import TupleRow, tuple_row

from migrations_app.engine.errors import LockExhausted
from migrations_app.engine.target.as_restored import as_restored
from migrations_app.engine.target.fingerprint_query import catalogue_query, settings_query
from migrations_app.engine.target.queries import read_sql

VERSION = "v2"
ATTEMPTS = 3

# Printing definitions takes ACCESS SHARE on their tables, as pg_dump does, and so waits for whoever locks one.
PATIENCE_MS = 3000

# Environments may give the same schema to roles of other names; these kinds tell of roles, or tell nothing.
BESIDE_THE_SHAPE = frozenset({"privileges", "owner", "comment"})

# Kind, name, definition, position: what a CatalogueObject holds.
Row = tuple[str, str, str, int]

_ABOUT = ("privileges", "comment", "security label", "depends on extension")
_NOTHING = [None] * len(_ABOUT)
_MAY_READ_LARGE_OBJECTS = "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')"


@dataclass(frozen=True, order=True)
class CatalogueObject:
    """An object, or what is said about one, and its definition; `position` is a column's place, else 0."""

    kind: str
    name: str
    definition: str
    position: int


@dataclass(frozen=True)
class Fingerprint:
    """`sha256` is strict, `logical` forgets the order of columns, `shape` also owners, privileges and comments."""

    sha256: str
    logical: str
    shape: str
    objects: int

    def __str__(self) -> str:
        return f"fp:{VERSION}:{self.sha256}"


def comparable(a: str, b: str) -> bool:
    """Whether two receipts' fingerprints were taken the same way, so that a difference means something."""
    prefix = f"fp:{VERSION}:"
    return a.startswith(prefix) and b.startswith(prefix)


def take(conn: psycopg.Connection, *, patience_ms: int = PATIENCE_MS) -> str:
    """The strict fingerprint as receipts keep it. Inside a transaction it sees that transaction's changes."""
    return f"fp:{VERSION}:{_hash(sorted(_rows(conn, patience_ms)))}"


def fingerprint(conn: psycopg.Connection, *, patience_ms: int = PATIENCE_MS) -> Fingerprint:
    """All hashes of the schema as this session sees it now."""
    return _fingerprint(_rows(conn, patience_ms))


def hash_of(objects: Iterable[CatalogueObject]) -> Fingerprint:
    """The hashes of a list of objects, in whatever order it comes."""
    return _fingerprint((one.kind, one.name, one.definition, one.position) for one in objects)


def catalogue(conn: psycopg.Connection, *, patience_ms: int = PATIENCE_MS) -> tuple[CatalogueObject, ...]:
    """Every object that counts, in order. Leaves the session's settings and the open transaction as they were."""
    # The server's order follows from its plan, which may be another one at the next reading.
    return tuple(CatalogueObject(*row) for row in sorted(_rows(conn, patience_ms)))


def beside(conn: psycopg.Connection) -> tuple[CatalogueObject, ...]:
    """What a fingerprint leaves out and a revision can change all the same; of one and the same database only.

    Takes an empty search_path; the content of large objects, which come last, only a superuser sees.
    """
    sections = read_sql("fingerprint_beside.sql").split("\n\nUNION ALL\n")
    with conn.cursor(row_factory=tuple_row) as cursor:
        may_read = cursor.execute(_MAY_READ_LARGE_OBJECTS).fetchone()
        told = sections if may_read and may_read[0] else sections[:-1]
        query = read_sql("fingerprint.sql").replace("/* objects */", "\nUNION ALL\n".join(told))
        return tuple(CatalogueObject(*row) for row in _told(cursor.execute(query)))


def _fingerprint(rows: Iterable[Row]) -> Fingerprint:
    ordered = sorted(rows)
    logical = [row[:3] for row in ordered]
    shape = [row for row in logical if row[0] not in BESIDE_THE_SHAPE]
    return Fingerprint(_hash(ordered), _hash(logical), _hash(shape), len(ordered))


def _rows(conn: psycopg.Connection, patience_ms: int) -> list[Row]:
    for _ in range(ATTEMPTS - 1):
        try:
            return _read(conn, patience_ms)
        except (psycopg.errors.InternalError_, psycopg.errors.UndefinedObject, psycopg.errors.UndefinedTable):
            continue  # an object was dropped between being listed and being printed
    return _read(conn, patience_ms)


def _read(conn: psycopg.Connection, patience_ms: int) -> list[Row]:
    try:
        # Rolling back to the savepoint takes the settings back, and the locks that printing took.
        with conn.transaction(force_rollback=True), conn.cursor(row_factory=tuple_row) as cursor:
            version = conn.info.server_version
            settings = cursor.execute(settings_query(version), [str(patience_ms)]).fetchone()
            assert settings is not None
            cursor.execute(catalogue_query(version, settings))
            while cursor.nextset():
                pass  # to the last statement's rows
            return list(_told(cursor))
    except psycopg.errors.LockNotAvailable as error:
        raise LockExhausted(
            "fingerprint_blocked",
            "The schema could not be read: another session keeps a table locked.",
            not_done="Nothing was changed in the target.",
            next_step="Wait until that session is done, then try again.",
        ) from error


def _told(found: Iterable[TupleRow]) -> Iterator[Row]:
    """Each object, and what is said about it as objects of their own."""
    for kind, name, definition, position, owner, *said in found:
        if definition is not None:
            yield kind, name, as_restored(definition), position
        if owner is not None:
            yield "owner", f"{kind} {name}", owner, 0
        if said != _NOTHING:
            for about, text in zip(_ABOUT, said, strict=True):
                if text is not None:
                    yield about, f"{kind} {name}", text, 0


def _hash(rows: Sequence[Sequence[str | int]]) -> str:
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
