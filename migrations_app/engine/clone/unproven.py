"""What a revision takes away that the clone held none of: a comparison of nothing with nothing proves nothing.

A rehearsal that dropped an empty column and made it again saw no difference; a target may hold values in it by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import psycopg
from psycopg import sql

from migrations_app.engine.clone.contents import Loss
from migrations_app.engine.clone.trace import StatementTrace
from migrations_app.engine.sql.assigned import assigned_columns, changes_inside
from migrations_app.engine.sql.script import Script, Statement
from migrations_app.engine.target.fingerprint import CatalogueObject

# A default could bring back a value that every row has. Compared as text, since not every type knows what is equal.
_VARIETY = "SELECT count(*) FROM (SELECT DISTINCT {column}::text AS v FROM {table} LIMIT 3) d WHERE v IS NOT NULL"
_HELD = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute
 WHERE attrelid = ANY (SELECT to_regclass(name) FROM unnest(%s::text[]) name) AND attname = ANY (%s) AND attnum > 0)
"""
_KINDS = {"table column": "column"}  # as an event trigger calls it, and as the fingerprint does
# What runs others: a block, or a query with a WITH.
_MAY_HIDE = frozenset({"DO", "SELECT", "INSERT", "UPDATE", "DELETE"})
_COLUMN = re.compile(r'(?P<table>.+)\.(?P<column>"(?:[^"]|"")+"|[^".]+)')


def unproven_losses(
    before: psycopg.Connection,
    was: Sequence[CatalogueObject],
    became: Sequence[CatalogueObject],
    script: Script,
    traces: Sequence[StatementTrace],
) -> tuple[Loss, ...]:
    """Tables and columns that went while they held nothing to tell apart; statements that change rows and met none."""
    there = {(one.kind, one.name) for one in was}
    # What was dropped and made again under its name is gone all the same.
    dropped = {(_KINDS.get(drop.kind, drop.kind), drop.name) for one in traces for drop in one.dropped}
    gone = (there - {(one.kind, one.name) for one in became}) | (there & dropped)
    tables = {name for kind, name in gone if kind == "table"}
    columns = sorted(name for kind, name in gone if kind == "column")
    return (
        *(loss for name in sorted(tables) for loss in _empty_table(before, name)),
        *(loss for name in columns for loss in _poor_column(before, name, tables)),
        *(_extension(name) for kind, name in sorted(dropped) if kind == "extension"),
        *_met_no_rows(before, script, traces),
    )


def _extension(name: str) -> Loss:
    return Loss("schema", f"extension {name}", f"Extension {name} goes, and what it kept in tables of its own with it.")


def _empty_table(before: psycopg.Connection, name: str) -> Iterator[Loss]:
    if not _rows(before, name):
        yield Loss("table", name, f"Table {name} goes, and held no rows to show whether they come back.")


def _poor_column(before: psycopg.Connection, name: str, gone_tables: set[str]) -> Iterator[Loss]:
    table, column = _split(name)
    if table in gone_tables or not _holds_values(before, table):
        return
    query = sql.SQL(_VARIETY).format(table=sql.SQL(table), column=sql.SQL(column))
    row = before.execute(query).fetchone()
    assert row is not None
    if row[0] < 2:
        held = "one and the same value in every row" if row[0] else "no values"
        yield Loss("column", name, f"Column {name} goes, and held {held} to show whether they come back.")


def _split(name: str) -> tuple[str, str]:
    """The table's and the column's SQL text; a quoted name may hold dots."""
    parts = _COLUMN.fullmatch(name)
    assert parts is not None, "the catalogue query writes table.column"
    return parts["table"], parts["column"]


def _holds_values(before: psycopg.Connection, name: str) -> bool:
    """Not a view's or a composite type's column."""
    row = before.execute("SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = to_regclass(%s)", [name]).fetchone()
    return bool(row and row[0])


def _met_no_rows(before: psycopg.Connection, script: Script, traces: Sequence[StatementTrace]) -> Iterator[Loss]:
    changed = {(one.step, one.statement) for one in traces if any(row[2] or row[3] for row in one.rows)}
    for step in script.steps:
        for number, statement in enumerate(step.statements, start=1):
            what = f"line {statement.line}"
            if statement.tag == "TRUNCATE TABLE":
                met = all(_rows(before, name) for name in statement.relations)
            else:
                met = (step.n, number) in changed or not _takes(before, statement)
            if not met:
                yield Loss("rows", what, f"The statement of {what} changes or takes rows, and met none on the clone.")


def _takes(before: psycopg.Connection, statement: Statement) -> bool:
    """Whether rows or values that were there before the revision are at stake."""
    if statement.tag in ("DELETE", "UPDATE", "MERGE") and statement.lock is None:
        return False  # what the revision made itself
    if statement.tag == "UPDATE":
        return _assigns_what_was_there(before, statement)
    return statement.tag in ("DELETE", "MERGE") or (statement.tag in _MAY_HIDE and changes_inside(statement.text))


def _assigns_what_was_there(before: psycopg.Connection, update: Statement) -> bool:
    """A column that the revision added holds nothing to lose."""
    names = assigned_columns(update.text)
    if names is None:
        return True
    row = before.execute(_HELD, [list(update.relations), sorted(names)]).fetchone()
    return bool(row and row[0])


def _rows(before: psycopg.Connection, name: str) -> bool:
    """Whether the table is there and holds any."""
    row = before.execute("SELECT to_regclass(%s) IS NOT NULL", [name]).fetchone()
    return bool(row and row[0]) and _any(before, sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.SQL(name)))


def _any(conn: psycopg.Connection, query: sql.Composed) -> bool:
    row = conn.execute(query).fetchone()
    return bool(row and row[0])
