"""What stands in a clone, by numbers that neither a rename nor a copy of the database changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

_STANDING = Path(__file__).with_name("standing.sql").read_text(encoding="utf-8")
_SCHEMAS = "SELECT pg_catalog.current_schemas(false)::text[]"
_FOUND = """
SELECT name, pg_catalog.to_regclass(name)::pg_catalog.oid::bigint FROM pg_catalog.unnest(%s::pg_catalog.text[]) name
"""
Place = tuple[int, int]  # a relation's oid and a column's number, or 0


@dataclass(frozen=True)
class Standing:
    """A table, a sequence or a column; names are SQL text."""

    kind: str
    relation: str
    column: str
    type: str
    owner: Place  # the column that a sequence belongs to

    @property
    def name(self) -> str:
        return f"{self.relation}.{self.column}" if self.column else self.relation


Standings = Mapping[Place, Standing]


def standing(conn: psycopg.Connection) -> Standings:
    """Names are qualified as far as the session's search_path asks for it; it should be empty."""
    return {
        (oid, number): Standing(kind, relation, column, type_, (owner, owner_number))
        for oid, number, kind, relation, column, type_, owner, owner_number in conn.execute(_STANDING)
    }


def search_path(conn: psycopg.Connection, settings: Iterable[tuple[str, str]]) -> list[str]:
    """The schemas in which a script with these settings looks for names, on a session as it would have."""
    for name, value in settings:
        if name == "search_path":
            conn.execute("SELECT pg_catalog.set_config(%s, %s, false)", [name, value])
    row = conn.execute(_SCHEMAS).fetchone()
    assert row is not None
    return list(row[0])


def find(conn: psycopg.Connection, names: Iterable[str], schemas: Iterable[str]) -> Mapping[str, int]:
    """The oid behind each name that is there. Nothing else is looked up along that path: a superuser asks."""
    path = ", ".join('"' + schema.replace('"', '""') + '"' for schema in schemas)
    with conn.transaction():
        conn.execute("SELECT pg_catalog.set_config('search_path', %s, true)", [path])
        return {name: oid for name, oid in conn.execute(_FOUND, [sorted(set(names))]) if oid is not None}
