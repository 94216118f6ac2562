"""Rows for tables that nobody filled: a rehearsal over empty tables proves little.

Values follow from the catalogue alone: the type, the labels of an enum, the rows that a foreign key may point at. A row
that a constraint or a trigger does not take is left out; what matters is that most tables hold some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

OURS = ["lockstep", "pg_catalog", "information_schema", "pg_toast"]

TABLES = """
SELECT c.oid, n.nspname, c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname <> ALL (%s)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.oid
"""

# A column that numbers itself or is computed is left to the server.
COLUMNS = """
SELECT a.attname, b.typname, format_type(a.atttypid, NULL), b.typcategory::text,
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = b.oid),
       a.attnotnull, CASE WHEN a.atttypmod > 4 AND b.typcategory = 'S' THEN a.atttypmod - 4 END
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
  AND coalesce(pg_get_expr(d.adbin, d.adrelid), '') NOT LIKE 'nextval(%%'
ORDER BY a.attnum
"""

KEYS = """
SELECT confrelid::regclass::text,
       (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY k(num, place)
        JOIN pg_attribute a ON (a.attrelid, a.attnum) = (c.conrelid, k.num)),
       (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(c.confkey) WITH ORDINALITY k(num, place)
        JOIN pg_attribute a ON (a.attrelid, a.attnum) = (c.confrelid, k.num))
FROM pg_constraint c WHERE c.conrelid = %s AND c.contype = 'f'
"""

BY_TYPE = {
    "bool": lambda number: number % 2 == 0,
    "uuid": lambda number: f"00000000-0000-4000-8000-{number:012x}",
    "json": lambda number: f'{{"n": {number}}}',
    "jsonb": lambda number: f'{{"n": {number}}}',
    "bytea": lambda number: number.to_bytes(4, "big"),
    "inet": lambda number: f"10.0.{number // 250}.{number % 250}",
    "cidr": lambda number: f"10.{number % 250}.0.0/16",
    "interval": lambda number: f"{number} minutes",
    "time": lambda number: f"{number % 24:02}:00",
    "tsvector": lambda number: f"word{number}",
    "ltree": lambda number: f"top.n{number}",
    "int4range": lambda number: f"[{number},{number + 1})",
}
BY_CATEGORY = {
    "N": lambda number: number,
    "S": lambda number: f"value {number}",
    "D": lambda number: f"2024-01-{1 + number % 28:02} 10:00:00",
    "A": lambda number: "{}",
}


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    written: str
    category: str
    labels: list[str] | None
    needed: bool
    longest: int | None

    def value(self, number: int) -> Any:
        """One for each number; every fourth is null where that is allowed."""
        if not self.needed and number % 4 == 3:
            return None
        if self.labels:
            return self.labels[number % len(self.labels)]
        made = (BY_TYPE.get(self.kind) or BY_CATEGORY.get(self.category) or str)(number)
        return made[-self.longest :] if self.longest and isinstance(made, str) else made


def fill(url: str, rows: int) -> tuple[int, int]:
    """Give each empty table up to `rows` rows; how many tables hold some now, and how many there are."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(TABLES, [OURS]).fetchall()
        # What a key points at may come later in the list, and may point back.
        for _ in range(3):
            for oid, schema, name in tables:
                if not _holds(connection, schema, name):
                    _fill(connection, oid, sql.Identifier(schema, name), rows)
        held = sum(_holds(connection, schema, name) for _, schema, name in tables)
    return held, len(tables)


def empty(url: str) -> None:
    """Take the rows of every table away, for a revision that refuses them."""
    with psycopg.connect(url, autocommit=True) as connection:
        names = [sql.Identifier(schema, name) for _, schema, name in connection.execute(TABLES, [OURS]).fetchall()]
        if names:
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(names)))


def _holds(connection: psycopg.Connection, schema: str, name: str) -> bool:
    return connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(sql.Identifier(schema, name))).rowcount > 0


def _fill(connection: psycopg.Connection, oid: int, table: sql.Identifier, rows: int) -> None:
    columns = [Column(*row) for row in connection.execute(COLUMNS, [oid]).fetchall()]
    keys = connection.execute(KEYS, [oid]).fetchall()
    taken = 0
    for number in range(1, 2 * rows + 1):
        taken += _insert(connection, table, columns, keys, number)
        if taken == rows or (number == rows and not taken):
            return


def _insert(
    connection: psycopg.Connection, table: sql.Identifier, columns: list[Column], keys: list[Any], number: int
) -> bool:
    values = {column.name: column.value(number) for column in columns}
    for elsewhere, here, there in keys:
        values |= _pointing(connection, elsewhere, here, there, number)
    casts = [sql.SQL("%s::" + column.written) for column in columns]
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        table, sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(casts)
    )
    if not columns:
        statement = sql.SQL("INSERT INTO {} DEFAULT VALUES").format(table)
    try:
        connection.execute(statement, list(values.values()))
    except psycopg.Error:
        return False
    return True


def _pointing(
    connection: psycopg.Connection, elsewhere: str, here: list[str], there: list[str], number: int
) -> dict[str, Any]:
    """The key's values of some row that is there; nothing where the table it points at is empty."""
    query = sql.SQL("SELECT {} FROM " + elsewhere + " LIMIT 1 OFFSET %s").format(
        sql.SQL(", ").join(map(sql.Identifier, there))
    )
    row = connection.execute(query, [number % 5]).fetchone() or connection.execute(query, [0]).fetchone()
    return dict(zip(here, row or [None] * len(here), strict=True))
