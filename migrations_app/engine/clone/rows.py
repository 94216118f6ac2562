"""Moves rows from the snapshot into the clone, as text and in a stream: neither side is ever held in memory.

The text format, because the binary one writes the numbers of types: an array of an enum would be refused, since the
clone's types have other numbers than the original's.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from migrations_app.engine.clone.facts import Sequence, Table
from migrations_app.engine.clone.source import named_failures
from migrations_app.engine.clone.stopping import ShouldStop, stop_if_asked

ASK_EVERY = 2000
SEQUENCES_AT_ONCE = 200


def stream(
    source: psycopg.Connection,
    clone: psycopg.Connection,
    select: sql.Composable,
    table: Table,
    *,
    encoding: str,
    should_stop: ShouldStop,
) -> int:
    """Copy what `select` returns into the table of the same columns; returns the number of rows."""
    stop_if_asked(should_stop)
    # Both sides speak the database's own encoding: nothing is converted, also where it is SQL_ASCII.
    how = sql.SQL("(ENCODING {})").format(sql.Literal(encoding))
    read = sql.SQL("COPY ({}) TO STDOUT {}").format(select, how)
    # A table without columns has rows all the same, each an empty line; an empty list of them is no SQL.
    named = sql.SQL("({})").format(table.column_list) if table.columns else sql.SQL("")
    write = sql.SQL("COPY {} {} FROM STDIN {}").format(sql.SQL(table.name), named, how)
    with source.cursor() as reading, clone.cursor() as writing:
        with named_failures(table.name), writing.copy(write) as into, reading.copy(read) as out:
            for count, chunk in enumerate(out):
                into.write(chunk)
                if count % ASK_EVERY == 0:
                    stop_if_asked(should_stop)
        return writing.rowcount


def copy_positions(source: psycopg.Connection, clone: psycopg.Connection, sequences: tuple[Sequence, ...]) -> None:
    """Where each sequence stands. Sequences know no snapshot: they may be ahead of the copied rows, never behind."""
    for start in range(0, len(sequences), SEQUENCES_AT_ONCE):
        some = sequences[start : start + SEQUENCES_AT_ONCE]
        query = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {}, last_value, is_called FROM {}").format(sql.Literal(one.name), sql.SQL(one.name))
            for one in some
        )
        with named_failures("the sequences"):
            for name, value, called in source.execute(query).fetchall():
                clone.execute("SELECT pg_catalog.setval(%s::regclass, %s, %s)", [name, value, called])


def count_rows(conn: psycopg.Connection, table: Table) -> int:
    row = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(table.itself)).fetchone()
    assert row is not None and isinstance(row[0], int)
    return row[0]
