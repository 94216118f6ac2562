"""Makes a sample keep its foreign keys: rows that sampled ones refer to are fetched, until nothing is missing.

Keys are read from the clone, where nothing is indexed yet and no constraint holds; the original only answers for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import psycopg
from psycopg import sql

from migrations_app.engine.clone.facts import ForeignKey, Table
from migrations_app.engine.clone.rows import stream
from migrations_app.engine.clone.stopping import ShouldStop, stop_if_asked
from migrations_app.engine.errors import NeedsOperator

KEYS_AT_ONCE = 10_000
# A chain of rows that refer to each other may be as long as its table: then it is cut off.
ROUNDS = 60

Key = tuple[str, ...]


class Closure:
    """Fetches and removes rows of the clone until every foreign key that PostgreSQL vouches for holds."""

    def __init__(
        self,
        source: psycopg.Connection,
        clone: psycopg.Connection,
        tables: Mapping[int, Table],
        *,
        encoding: str,
        should_stop: ShouldStop,
    ) -> None:
        self._source, self._clone, self._tables = source, clone, tables
        self._encoding, self._should_stop = encoding, should_stop

    def complete(self, keys: Sequence[ForeignKey], *, sampled: frozenset[int], report: Callable[[str], None]) -> None:
        """1. Fetch parents, over all keys again and again. 2. Remove children whose parent was not to be had."""
        usable = [key for key in keys if {key.child_oid, key.parent_oid} <= self._tables.keys()]
        open_ended = [key for key in usable if key.parent_oid in sampled or self._tables[key.parent_oid].partitioned]
        fetched = sum(self._until_nothing(open_ended, self._fetch))
        if fetched:
            report(f"Fetched {fetched} rows that sampled ones refer to.")
        removed = sum(self._until_nothing([key for key in usable if key.validated], self._remove, rounds=10 * ROUNDS))
        if removed:
            report(f"Left out {removed} rows whose references could not be completed.")

    def _until_nothing(
        self, keys: Sequence[ForeignKey], act: Callable[[ForeignKey], int], *, rounds: int = ROUNDS
    ) -> Iterator[int]:
        """Act on each key whose tables changed since it was last found complete."""
        due = list(keys)
        for _ in range(rounds):
            if not due:
                return
            changed: set[int] = set()
            for key in due:
                count = act(key)
                if count:
                    changed.add(key.parent_oid if act == self._fetch else key.child_oid)
                yield count
            due = [key for key in keys if self._touches(key, changed, act)]
        if act != self._fetch and due:
            raise _endless(due[0])

    def _touches(self, key: ForeignKey, changed: set[int], act: Callable[[ForeignKey], int]) -> bool:
        """Fetched parents are children elsewhere, and removed children parents; partitions stand for their whole."""
        oid = key.child_oid if act == self._fetch else key.parent_oid
        return bool(changed) and (
            oid in changed or any(self._tables[one].partitioned for one in changed) or self._tables[oid].partitioned
        )

    def _fetch(self, key: ForeignKey) -> int:
        total = 0
        while missing := self._missing(key):
            parent = self._tables[key.parent_oid]
            select = self._parents(key, parent, missing)
            count = stream(
                self._source,
                self._clone,
                select,
                parent,
                encoding=self._encoding,
                should_stop=self._should_stop,
            )
            total += count
            if count == 0 or len(missing) < KEYS_AT_ONCE:
                return total
        return total

    def _missing(self, key: ForeignKey) -> list[Key]:
        """Keys, as text, that the clone's children have and its parents lack."""
        query = sql.SQL("SELECT DISTINCT {} FROM ONLY {} AS c WHERE {} LIMIT {}").format(
            sql.SQL(", ").join(_sql(f"c.{column}::text") for column in key.child_columns),
            _sql(key.child),
            self._orphan(key),
            sql.Literal(KEYS_AT_ONCE),
        )
        return self._clone.execute(query).fetchall()

    def _remove(self, key: ForeignKey) -> int:
        stop_if_asked(self._should_stop)
        query = sql.SQL("DELETE FROM ONLY {} AS c WHERE {}").format(_sql(key.child), self._orphan(key))
        return self._clone.execute(query).rowcount

    def _orphan(self, key: ForeignKey) -> sql.Composed:
        present = sql.SQL(" AND ").join(_sql(f"c.{column} IS NOT NULL") for column in key.child_columns)
        alike = sql.SQL(" AND ").join(
            _sql(f"p.{theirs} {operator} c.{ours}")
            for theirs, operator, ours in zip(key.parent_columns, key.operators, key.child_columns, strict=True)
        )
        return sql.SQL("{} AND NOT EXISTS (SELECT FROM {} AS p WHERE {})").format(
            present, self._tables[key.parent_oid].itself, alike
        )

    def _parents(self, key: ForeignKey, parent: Table, missing: Sequence[Key]) -> sql.Composed:
        """A semi-join: two keys that are written differently and yet equal must not fetch a row twice."""
        names = [f"k{number}" for number in range(len(key.child_columns))]
        arrays = sql.SQL(", ").join(
            sql.SQL("{}::text[]").format(sql.Literal(list(column))) for column in zip(*missing, strict=True)
        )
        typed = sql.SQL(", ").join(
            _sql(f"u.{name}::{kind} AS {name}") for name, kind in zip(names, key.child_types, strict=True)
        )
        alike = sql.SQL(" AND ").join(
            _sql(f"p.{theirs} {operator} k.{name}")
            for theirs, operator, name in zip(key.parent_columns, key.operators, names, strict=True)
        )
        columns = sql.SQL(", ").join(_sql(f"p.{column}") for column in parent.columns)
        return sql.SQL(
            "WITH k AS MATERIALIZED (SELECT {typed} FROM unnest({arrays}) AS u ({names})) "
            "SELECT {columns} FROM {parent} AS p WHERE EXISTS (SELECT FROM k WHERE {alike})"
        ).format(
            typed=typed,
            arrays=arrays,
            names=sql.SQL(", ").join(sql.Identifier(name) for name in names),
            columns=columns,
            parent=parent.itself,
            alike=alike,
        )


def _sql(text: str) -> sql.SQL:
    """Names and types that PostgreSQL itself has quoted."""
    return sql.SQL(text)


def _endless(key: ForeignKey) -> NeedsOperator:
    return NeedsOperator(
        "sample_incomplete",
        f"The sample of {key.child} does not come to rest: rows refer to rows in a chain without an end in sight.",
        not_done="No clone was made, and nothing was changed in the target.",
        next_step="Rehearse on a restored backup, or let databases of this size be copied whole.",
    )
