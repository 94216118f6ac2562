"""A database's schema as one hash: equal hashes mean that a revision will meet what was rehearsed.

Comparable within one major version of PostgreSQL only, since each writes definitions its own way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import psycopg
from psycopg.rows import class_row

from migrations_app.engine.errors import LockExhausted
from migrations_app.engine.target.queries import read_sql

CATALOGUE = read_sql("fingerprint.sql")
VERSION = "v1"
ATTEMPTS = 3

# Printing definitions takes ACCESS SHARE on their tables, as pg_dump does, and so waits for whoever locks one.
PATIENCE_MS = 3000

# Local to the savepoint. An empty search_path qualifies every name; compiling this query would take longer
# than running it.
LOCAL_SETTINGS = """
SELECT pg_catalog.set_config('search_path', '', true), pg_catalog.set_config('lock_timeout', %s, true),
       pg_catalog.set_config('jit', 'off', true)
"""


@dataclass(frozen=True, order=True)
class CatalogueObject:
    """One object and its definition; `position` is a column's place in its table, else 0."""

    kind: str
    name: str
    definition: str
    position: int


@dataclass(frozen=True)
class Fingerprint:
    """`sha256` is strict; `logical` forgets the order of columns, for "same but for a re-added column"."""

    sha256: str
    logical: str
    objects: int

    def __str__(self) -> str:
        return f"fp:{VERSION}:{self.sha256}"


def take(conn: psycopg.Connection, *, patience_ms: int = PATIENCE_MS) -> str:
    """The strict fingerprint as receipts keep it. Inside a transaction it sees that transaction's changes."""
    return str(fingerprint(conn, patience_ms=patience_ms))


def fingerprint(conn: psycopg.Connection, *, patience_ms: int = PATIENCE_MS) -> Fingerprint:
    """Both hashes of the schema as this session sees it now."""
    return hash_of(catalogue(conn, patience_ms=patience_ms))


def hash_of(objects: Iterable[CatalogueObject]) -> Fingerprint:
    """The hashes of a list of objects, in whatever order it comes."""
    ordered = sorted(objects)
    strict = _hash([[one.kind, one.name, one.definition, one.position] for one in ordered])
    logical = _hash([[one.kind, one.name, one.definition] for one in ordered])
    return Fingerprint(strict, logical, len(ordered))


def catalogue(conn: psycopg.Connection, *, patience_ms: int = PATIENCE_MS) -> tuple[CatalogueObject, ...]:
    """Every object that counts. Leaves the session's settings and the open transaction as they were."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _read(conn, patience_ms)
        except (psycopg.errors.InternalError_, psycopg.errors.UndefinedObject, psycopg.errors.UndefinedTable):
            continue  # an object was dropped between being listed and being printed
    return _read(conn, patience_ms)


def _read(conn: psycopg.Connection, patience_ms: int) -> tuple[CatalogueObject, ...]:
    try:
        # Rolling back to the savepoint takes the settings back, and the locks that printing took.
        with (
            conn.transaction(force_rollback=True),
            conn.cursor(row_factory=class_row(CatalogueObject)) as cursor,
        ):
            cursor.execute(LOCAL_SETTINGS, [str(patience_ms)])
            return tuple(cursor.execute(CATALOGUE).fetchall())
    except psycopg.errors.LockNotAvailable as error:
        raise LockExhausted(
            "fingerprint_blocked",
            "The schema could not be read: another session keeps a table locked.",
            not_done="Nothing was changed in the target.",
            next_step="Wait until that session is done, then try again.",
        ) from error


def _hash(rows: Sequence[Sequence[str | int]]) -> str:
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
