"""What has to be known of a database before it can be cloned, read in one go and kept as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from migrations_app.engine.errors import Refused

MAPPINGS = """
SELECT CASE umuser WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(usename) END || ' SERVER '
       || pg_catalog.quote_ident(srvname) FROM pg_catalog.pg_user_mappings
"""


@dataclass(frozen=True)
class Database:
    """How it was created, what is granted on it and which settings its sessions begin with."""

    oid: int
    owner: str
    encoding: str
    collate: str
    ctype: str
    provider: str
    locale: str
    rules: str
    grants: list[str]  # `role:PRIVILEGE`, an empty role for PUBLIC
    settings: list[str]  # `name=value`


@dataclass(frozen=True)
class Role:
    name: str
    superuser: bool
    inherit: bool
    bypassrls: bool
    member_of: list[str]


@dataclass(frozen=True)
class Extension:
    """`schema` is empty where the extension makes its own."""

    name: str
    version: str
    schema: str


@dataclass(frozen=True)
class Table:
    """`name`, and the columns that can be written, are SQL text; `estimate` is -1 where nothing is known.

    Of an extension's configuration only the rows of `condition`, a WHERE clause or empty, are the database's own.
    """

    oid: int
    name: str
    ours: bool
    configuration: bool
    condition: str
    partitioned: bool
    readable: bool
    filtered: bool
    bytes: int
    pages: int
    estimate: int
    columns: list[str]

    @property
    def column_list(self) -> sql.SQL:
        return sql.SQL(", ".join(self.columns))

    @property
    def itself(self) -> sql.SQL:
        """The table for a FROM clause: without its children, but with its partitions."""
        return sql.SQL(self.name if self.partitioned else f"ONLY {self.name}")


@dataclass(frozen=True)
class ForeignKey:
    name: str
    child_oid: int
    child: str
    parent_oid: int
    parent: str
    validated: bool
    period: bool
    child_columns: list[str]
    child_types: list[str]
    parent_columns: list[str]
    operators: list[str]


@dataclass(frozen=True)
class Sequence:
    name: str
    readable: bool


def read_database(conn: psycopg.Connection, name: str, *, role: str) -> Database:
    """The settings are those that a session of `role` has in it."""
    with conn.cursor(row_factory=class_row(Database)) as cursor:
        row = cursor.execute(_query("database.sql"), {"database": name, "role": role}).fetchone()
    assert row is not None
    return row


def read_roles(conn: psycopg.Connection) -> tuple[Role, ...]:
    with conn.cursor(row_factory=class_row(Role)) as cursor:
        return tuple(cursor.execute(_query("roles.sql")).fetchall())


def read_extensions(conn: psycopg.Connection) -> tuple[Extension, ...]:
    with conn.cursor(row_factory=class_row(Extension)) as cursor:
        return tuple(cursor.execute(_query("extensions.sql")).fetchall())


def read_mappings(conn: psycopg.Connection) -> tuple[str, ...]:
    """`role SERVER server` of each user mapping, as SQL text; what is in them is not read."""
    return tuple(row[0] for row in conn.execute(MAPPINGS).fetchall())


def read_foreign_keys(conn: psycopg.Connection) -> tuple[ForeignKey, ...]:
    with conn.cursor(row_factory=class_row(ForeignKey)) as cursor:
        return tuple(cursor.execute(_query("foreign_keys.sql")).fetchall())


def read_tables(conn: psycopg.Connection) -> tuple[Table, ...]:
    """Refused where this session would not see every row of every table."""
    with conn.cursor(row_factory=class_row(Table)) as cursor:
        tables = tuple(cursor.execute(_query("tables.sql")).fetchall())
    _require_readable("table", [table.name for table in tables if not table.readable])
    filtered = [table.name for table in tables if table.filtered]
    if filtered:
        raise Refused(
            "row_security",
            f"Row security hides rows of {_some(filtered)} from the target's user.",
            not_done="No clone was made.",
            next_step="Give that user BYPASSRLS, or rehearse on a restored backup.",
        )
    return tables


def read_sequences(conn: psycopg.Connection) -> tuple[Sequence, ...]:
    with conn.cursor(row_factory=class_row(Sequence)) as cursor:
        sequences = tuple(cursor.execute(_query("sequences.sql")).fetchall())
    _require_readable("sequence", [sequence.name for sequence in sequences if not sequence.readable])
    return sequences


def _require_readable(kind: str, names: list[str]) -> None:
    if not names:
        return
    raise Refused(
        "unreadable_table",
        f"The target's user may not read the {kind} {_some(names)}.",
        not_done="No clone was made.",
        next_step=f"Grant it SELECT on that {kind} and USAGE on its schema, or rehearse on a restored backup.",
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _query(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
