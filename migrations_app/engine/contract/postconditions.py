"""What the catalogue says about a non-transactional statement: did it take effect, half of it, or can't it tell?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg.sql import SQL, Identifier

from migrations_app.engine.sql.script import Postcondition

State = Literal["done", "absent", "half", "busy", "unknown"]


@dataclass(frozen=True)
class Finding:
    """`half` can be cleaned up by `repair`; `busy` is being built by `builder`; `rerun` may simply run again."""

    state: State
    sentence: str
    builder: int | None = None


_INDEX = """
SELECT i.indisvalid AND i.indisready AND i.indislive, p.pid
  FROM pg_index i LEFT JOIN pg_stat_progress_create_index p ON p.index_relid = i.indexrelid
 WHERE i.indexrelid = to_regclass(%s)
"""

_COPIES = """
SELECT n.nspname, c.relname
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'
   AND i.indrelid = coalesce(to_regclass(%(table)s),
                             (SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass(%(index)s)))
   AND (%(name)s::text IS NULL OR starts_with(c.relname, left(%(name)s, 50)))
"""

_PARTITION = """
SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass(%s) AND inhparent = to_regclass(%s)
"""

_OBJECTS = {
    "database": "SELECT 1 FROM pg_database WHERE datname = %s",
    "tablespace": "SELECT 1 FROM pg_tablespace WHERE spcname = %s",
    "subscription": "SELECT 1 FROM pg_subscription WHERE subname = %s",
}


def look(conn: psycopg.Connection, expected: Postcondition) -> Finding:
    """Compare the catalogue with what the statement should have left behind."""
    if expected.kind in ("index_valid", "index_gone"):
        return _index(conn, expected)
    if expected.kind == "partition_detached":
        return _partition(conn, expected)
    if expected.kind in ("exists", "gone"):
        return _object(conn, expected)
    if expected.kind == "rerun":
        return _rebuild(conn, expected)
    return Finding("unknown", "no catalogue entry tells whether it ran")


def repair(conn: psycopg.Connection, expected: Postcondition) -> str:
    """Remove what a broken-off statement left; returns a sentence for the log."""
    if expected.kind == "partition_detached":
        conn.execute(
            SQL("ALTER TABLE {} DETACH PARTITION {} FINALIZE").format(
                SQL(expected.table or ""),  # as written in the revision
                _identifier(expected),
            )
        )
        return f"finished the interrupted detach of {expected.name}"
    if expected.kind == "rerun":
        return _sweep(conn, expected)
    conn.execute(SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(_identifier(expected, _schema(conn, expected))))
    return f"dropped the invalid index {expected.name} that a broken-off statement left"


def _identifier(expected: Postcondition, schema: str | None = None) -> Identifier:
    """The object's name; without a schema the search_path decides, as it did for the statement."""
    return Identifier(*[part for part in (expected.schema or schema, expected.name) if part])


def _schema(conn: psycopg.Connection, expected: Postcondition) -> str | None:
    """An index lives in its table's schema, whatever the search_path puts first."""
    if expected.schema or not expected.table:
        return None
    row = conn.execute(
        "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = to_regclass(%s)",
        (expected.table,),
    ).fetchone()
    return row[0] if row else None


def _index(conn: psycopg.Connection, expected: Postcondition) -> Finding:
    row = conn.execute(_INDEX, (_identifier(expected, _schema(conn, expected)).as_string(conn),)).fetchone()
    wants_index = expected.kind == "index_valid"
    if row is None:
        return Finding("absent" if wants_index else "done", f"index {expected.name} does not exist")
    valid, builder = row
    if builder is not None:
        return Finding("busy", f"index {expected.name} is being built by pid {builder}", builder)
    if not valid:
        return Finding("half", f"index {expected.name} exists but is invalid")
    return Finding("done" if wants_index else "absent", f"index {expected.name} exists and is valid")


def _rebuild(conn: psycopg.Connection, expected: Postcondition) -> Finding:
    """A broken-off REINDEX CONCURRENTLY leaves invalid copies, which every write has to maintain."""
    left = _copies(conn, expected)
    if left:
        return Finding("half", f"{len(left)} invalid copies are left of an interrupted rebuild")
    return Finding("absent", "running it again is harmless")


def _copies(conn: psycopg.Connection, expected: Postcondition) -> list[tuple[str, str]]:
    """(schema, name) of the invalid _ccnew and _ccold indexes of the index or table that is rebuilt."""
    if not expected.name and not expected.table:
        return []
    index = _identifier(expected).as_string(conn) if expected.name else None
    return conn.execute(_COPIES, {"index": index, "table": expected.table, "name": expected.name}).fetchall()


def _sweep(conn: psycopg.Connection, expected: Postcondition) -> str:
    copies = _copies(conn, expected)
    for schema, name in copies:
        conn.execute(SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(Identifier(schema, name)))
    return f"dropped {', '.join(name for _, name in copies)}, left by an interrupted rebuild"


def _partition(conn: psycopg.Connection, expected: Postcondition) -> Finding:
    row = conn.execute(_PARTITION, (_identifier(expected).as_string(conn), expected.table)).fetchone()
    if row is None:
        return Finding("done", f"{expected.name} is detached")
    return (
        Finding("half", f"the detach of {expected.name} is pending")
        if row[0]
        else Finding("absent", f"{expected.name} is still attached")
    )


def _object(conn: psycopg.Connection, expected: Postcondition) -> Finding:
    query = _OBJECTS.get(expected.object_type or "")
    if query is None:
        return Finding("unknown", f"no catalogue query for a {expected.object_type}")
    exists = conn.execute(query, (expected.name,)).fetchone() is not None
    wanted = expected.kind == "exists"
    there = "exists" if exists else "does not exist"
    return Finding("done" if exists == wanted else "absent", f"{expected.object_type} {expected.name} {there}")
