"""What two databases of one origin hold: rows counted and digested table by table, and where they part, which.

A table's digest is the sum of its rows' hashes, so the order of rows plays no part; hashes are taken of the values'
text, over the columns that both sides have, in the order of their names. What a materialized view holds counts as
well. Large objects are not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql
from psycopg.rows import class_row

TABLES = Path(__file__).with_name("contents.sql").read_text(encoding="utf-8")

# Beyond this a table's rows are counted and digested, but not told apart.
MOST_ROWS = 200_000
_BATCH = 5_000
_UNFILLED = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'm' AND NOT c.relispopulated
"""
_AT_ONCE = 50  # tables in one statement

LossKind = Literal["table", "column", "rows", "values", "sequence", "schema", "again", "before"]


@dataclass(frozen=True)
class Loss:
    """One thing that is not as it was. `count` is in rows or values; None where it is not a number of things."""

    kind: LossKind
    object: str
    sentence: str
    count: int | None = None


@dataclass(frozen=True)
class Table:
    name: str  # qualified SQL text
    kind: Literal["table", "materialized view"]
    columns: list[str]
    key: list[str]

    @property
    def words(self) -> str:
        return f"{self.kind.capitalize()} {self.name}"


@dataclass(frozen=True)
class Digest:
    rows: int
    sums: tuple[int, int]


Row = tuple[int | None, ...]  # a hash for each value, None for NULL


def compare_contents(before: psycopg.Connection, after: psycopg.Connection) -> tuple[Loss, ...]:
    """Everything of `before` that `after` does not hold as it was; tables and columns that are new count as nothing.

    Both sessions must print values alike, as target.connect opens them, and see every row.
    """
    old, new = _tables(before), _tables(after)
    shared = [(old[name], new[name]) for name in sorted(old.keys() & new.keys())]
    losses = [*_gone_tables(before, [old[name] for name in sorted(old.keys() - new.keys())])]
    for one, other in shared:
        losses += _gone_columns(before, one, other)
    for table in _parted(before, after, shared):
        # What prints otherwise but counts as the same, by its collation or its blanks, is other all the same.
        losses += [*_told_apart(before, after, table)] or [_other_values(table)]
    return (*losses, *_moved_sequences(before, after), *unfilled_views(before, after))


def holds_the_same(
    before: psycopg.Connection, after: psycopg.Connection, table: str, assigned: frozenset[str] | None
) -> bool:
    """Whether the columns that were assigned, else all of them, have the same values in the same rows."""
    old, new = _tables(before).get(table), _tables(after).get(table)
    if old is None or new is None:
        return False
    wanted = set(old.columns) & (set(old.columns) if assigned is None else assigned)
    if not wanted or not wanted <= set(new.columns):
        return False
    common = _common(old, new)
    looked_at = Table(table, common.kind, sorted(wanted | set(common.key)), common.key)
    return _digests(before, [looked_at]) == _digests(after, [looked_at])


def _tables(conn: psycopg.Connection) -> dict[str, Table]:
    with conn.cursor(row_factory=class_row(Table)) as cursor:
        return {table.name: table for table in cursor.execute(TABLES)}


def unfilled_views(before: psycopg.Connection, after: psycopg.Connection) -> Iterator[Loss]:
    """Those of `after` that were filled in `before`, or were not there; the schema tells one that is gone."""
    old, new = ({name for (name,) in conn.execute(_UNFILLED)} for conn in (before, after))
    for name in sorted(new - old):
        yield Loss("rows", name, f"Materialized view {name} is there and not filled.")


def _gone_tables(conn: psycopg.Connection, tables: Sequence[Table]) -> Iterator[Loss]:
    """A view that is gone is told by the schema."""
    for table in tables:
        if table.kind == "table":
            rows = _count(conn, sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.SQL(table.name)))
            yield Loss("table", table.name, f"{table.words} is gone with {_counted(rows, 'row')}.", rows)


def _gone_columns(conn: psycopg.Connection, one: Table, other: Table) -> Iterator[Loss]:
    for column in sorted(set(one.columns) - set(other.columns)):
        query = sql.SQL("SELECT count({}) FROM ONLY {}").format(sql.Identifier(column), sql.SQL(one.name))
        values = _count(conn, query)
        name = f"{one.name}.{column}"
        yield Loss("column", name, f"Column {name} is gone with {_counted(values, 'value')}.", values)


def _parted(
    before: psycopg.Connection, after: psycopg.Connection, shared: Sequence[tuple[Table, Table]]
) -> Iterator[Table]:
    """The tables whose digests differ, each with the columns that both sides have."""
    tables = [_common(one, other) for one, other in shared]
    for start in range(0, len(tables), _AT_ONCE):
        some = tables[start : start + _AT_ONCE]
        old, new = _digests(before, some), _digests(after, some)
        yield from (table for table in some if old[table.name] != new[table.name])


def _common(one: Table, other: Table) -> Table:
    """A key counts only where it is the key on both sides."""
    columns = sorted(set(one.columns) & set(other.columns))
    return Table(one.name, one.kind, columns, one.key if one.key == other.key and set(one.key) <= set(columns) else [])


_DIGEST = """
SELECT {name}, count(*), coalesce(sum(('x' || substr(h, 1, 16))::bit(64)::bigint::numeric), 0),
       coalesce(sum(('x' || substr(h, 17, 16))::bit(64)::bigint::numeric), 0)
  FROM (SELECT encode(sha256(convert_to(ROW({columns})::text, getdatabaseencoding())), 'hex') AS h FROM ONLY {table}) r
"""


def _digests(conn: psycopg.Connection, tables: Sequence[Table]) -> Mapping[str, Digest]:
    queries = [
        sql.SQL(_DIGEST).format(
            name=sql.Literal(table.name),
            table=sql.SQL(table.name),
            columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        )
        for table in tables
    ]
    rows = conn.execute(sql.SQL(" UNION ALL ").join(queries)).fetchall()
    return {name: Digest(count, (int(first), int(second))) for name, count, first, second in rows}


def _told_apart(before: psycopg.Connection, after: psycopg.Connection, table: Table) -> Iterator[Loss]:
    """Which rows and which columns' values are not as they were."""
    old, new = (_size(conn, table) for conn in (before, after))
    if max(old, new) > MOST_ROWS:
        yield _too_many(table, old, new)
    elif table.key:
        yield from _by_key(table, _by_key_of(before, table), _by_key_of(after, table))
    else:
        yield from _as_bags(table, Counter(_rows(before, table)), Counter(_rows(after, table)))


def _other_values(table: Table) -> Loss:
    return Loss("rows", table.name, f"{table.words} holds other values, which compare as the same.")


def _too_many(table: Table, old: int, new: int) -> Loss:
    told = f"held {_counted(old, 'row')} and holds {new:,}" if old != new else f"holds other values in its {old:,} rows"
    return Loss("rows", table.name, f"{table.words} {told}; it is too long to tell which.", abs(old - new) or None)


def _by_key(table: Table, old: Mapping[Row, Row], new: Mapping[Row, Row]) -> Iterator[Loss]:
    yield from _lost_and_added(table, len(old.keys() - new.keys()), len(new.keys() - old.keys()))
    changed: Counter[str] = Counter()
    nulled: Counter[str] = Counter()
    for key in old.keys() & new.keys():
        if old[key] == new[key]:
            continue
        for column, was, became in zip(table.columns, old[key], new[key], strict=True):
            if was != became:
                (nulled if became is None else changed)[column] += 1
    for column in sorted(changed.keys() | nulled.keys()):
        yield _values(table, column, nulled[column], changed[column])


def _values(table: Table, column: str, nulled: int, changed: int) -> Loss:
    name, count = f"{table.name}.{column}", nulled + changed
    verb = "is" if count == 1 else "are"
    became = "NULL now" if not changed else "not what it was" if count == 1 else "not what they were"
    part = f", {nulled:,} of them NULL" if changed and nulled else ""
    return Loss("values", name, f"{_counted(count, 'value')} of {name} {verb} {became}{part}.", count)


def _as_bags(table: Table, old: Counter[Row], new: Counter[Row]) -> Iterator[Loss]:
    """Without a key a changed row looks like one lost and one added."""
    yield from _lost_and_added(table, (old - new).total(), (new - old).total())


def _lost_and_added(table: Table, lost: int, added: int) -> Iterator[Loss]:
    if lost:
        what = "is not there any more" if lost == 1 else "are not there any more"
        yield Loss("rows", table.name, f"{_counted(lost, 'row')} of {table.name} {what}.", lost)
    if added:
        what = "was not there before" if added == 1 else "were not there before"
        yield Loss("rows", table.name, f"{_counted(added, 'row')} of {table.name} {what}.", added)


def _by_key_of(conn: psycopg.Connection, table: Table) -> dict[Row, Row]:
    places = [table.columns.index(column) for column in table.key]
    return {tuple(row[place] for place in places): row for row in _rows(conn, table)}


def _rows(conn: psycopg.Connection, table: Table) -> Iterator[Row]:
    """The hash of each value, 64 bits: enough to tell rows apart that differ, after their digests did.

    A composite value of NULLs alone is no NULL, though IS NULL would say so.
    """
    one = 'CASE WHEN {0} IS NOT DISTINCT FROM NULL THEN NULL ELSE hashtextextended(ROW({0})::text COLLATE "C", 0) END'
    hashed = [sql.SQL(one).format(sql.Identifier(column)) for column in table.columns]
    query = sql.SQL("SELECT {} FROM ONLY {}").format(sql.SQL(", ").join(hashed), sql.SQL(table.name))
    with conn.transaction(), conn.cursor(name="lockstep_contents") as cursor:
        cursor.itersize = _BATCH
        cursor.execute(query)
        yield from cursor


def _size(conn: psycopg.Connection, table: Table) -> int:
    return _count(conn, sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.SQL(table.name)))


def _count(conn: psycopg.Connection, query: sql.Composed) -> int:
    row = conn.execute(query).fetchone()
    assert row is not None
    return int(row[0])


@dataclass(frozen=True)
class Position:
    """Where a sequence stands; one that was restarted differs in its last value alone from one that gave the number."""

    last: int
    gives: int


_SEQUENCES = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('lockstep', 'lockstep_trace')
 ORDER BY 1
"""


def _moved_sequences(before: psycopg.Connection, after: psycopg.Connection) -> Iterator[Loss]:
    old, new = _positions(before), _positions(after)
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            yield Loss("sequence", name, f"Sequence {name} {_moved(old[name], new[name])}")


def _moved(old: Position, new: Position) -> str:
    if old.gives != new.gives:
        return f"would have given {old.gives:,} next and gives {new.gives:,} now."
    return f"gives {new.gives:,} next as before, but its last value was {old.last:,} and is {new.last:,} now."


_STANDS = """
SELECT {literal}, last_value, last_value::numeric + CASE WHEN is_called THEN
         (SELECT seqincrement FROM pg_catalog.pg_sequence WHERE seqrelid = {literal}::regclass) ELSE 0 END
  FROM {name}
"""


def _positions(conn: psycopg.Connection) -> dict[str, Position]:
    names = [name for (name,) in conn.execute(_SEQUENCES)]
    queries = [sql.SQL(_STANDS).format(literal=sql.Literal(name), name=sql.SQL(name)) for name in names]
    found: dict[str, Position] = {}
    for start in range(0, len(queries), _AT_ONCE):
        some = sql.SQL(" UNION ALL ").join(queries[start : start + _AT_ONCE])
        found |= {name: Position(last, int(gives)) for name, last, gives in conn.execute(some)}
    return found


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
