"""Which rows of each table go into the clone: all of a small one, a seeded sample of a large one."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from migrations_app.engine.clone.facts import ForeignKey, Table

# Above this many pages reading all of a table to pick some of its rows takes too long; whole pages are picked then.
PAGES_TO_READ = 8192
PAGES_TO_LOOK_AT = 200


@dataclass(frozen=True)
class Sizes:
    """A database of up to `whole_up_to_bytes` is copied whole; else each table has about `rows_per_table` rows."""

    rows_per_table: int = 20_000
    whole_up_to_bytes: int = 64 * 1024**2
    seed: int = 1


@dataclass(frozen=True)
class Choice:
    """What is read of one table; `target_rows` is an estimate unless all of it is read."""

    table: Table
    whole: bool
    target_rows: int
    select: sql.Composed


def choose(
    conn: psycopg.Connection, tables: tuple[Table, ...], foreign_keys: tuple[ForeignKey, ...], sizes: Sizes
) -> tuple[Choice, ...]:
    """One choice for each table that holds rows itself, in the order given."""
    holding = [table for table in tables if not table.partitioned]
    everything = sum(table.bytes for table in holding) <= sizes.whole_up_to_bytes
    # A key over periods may need several rows of its parent for one of the child: those tables are never sampled.
    needed = {oid for key in foreign_keys if key.period for oid in (key.child_oid, key.parent_oid)}
    choices = []
    for table in holding:
        if (
            everything
            or table.ours
            or table.configuration
            or table.oid in needed
            or _is_small(conn, table, sizes.rows_per_table)
        ):
            choices.append(Choice(table, True, max(table.estimate, 0), _select(table)))
        else:
            choices.append(_sampled(conn, table, sizes))
    return tuple(choices)


def _is_small(conn: psycopg.Connection, table: Table, limit: int) -> bool:
    """The estimate decides only where it is far above; otherwise rows are counted, up to the limit."""
    if table.estimate > 2 * limit:
        return False
    query = sql.SQL("SELECT count(*) FROM (SELECT FROM {} LIMIT {}) AS few").format(
        table.itself, sql.Literal(limit + 1)
    )
    row = conn.execute(query).fetchone()
    return row is not None and row[0] <= limit


def _sampled(conn: psycopg.Connection, table: Table, sizes: Sizes) -> Choice:
    rows = table.estimate if table.estimate > 0 else _look(conn, table, sizes)
    percent = min(100.0, 100 * sizes.rows_per_table / max(rows, 1))
    return Choice(table, False, rows, _select(table) + _tablesample(table, percent, sizes.seed))


def _look(conn: psycopg.Connection, table: Table, sizes: Sizes) -> int:
    """The rows of a table that was never analysed, from some of its pages."""
    percent = min(100.0, 100 * PAGES_TO_LOOK_AT / max(table.pages, 1))
    query = sql.SQL("SELECT count(*) FROM {}").format(table.itself)
    query += sql.SQL(" TABLESAMPLE SYSTEM ({}) REPEATABLE ({})").format(sql.Literal(percent), sql.Literal(sizes.seed))
    row = conn.execute(query).fetchone()
    return int(row[0] * 100 / percent) if row is not None else 0


def _select(table: Table) -> sql.Composed:
    query = sql.SQL("SELECT {} FROM {}").format(table.column_list, table.itself)
    return query + sql.SQL(f" {table.condition}") if table.condition else query


def _tablesample(table: Table, percent: float, seed: int) -> sql.Composed:
    method = sql.SQL("SYSTEM" if table.pages > PAGES_TO_READ else "BERNOULLI")
    return sql.SQL(" TABLESAMPLE {} ({}) REPEATABLE ({})").format(method, sql.Literal(percent), sql.Literal(seed))
