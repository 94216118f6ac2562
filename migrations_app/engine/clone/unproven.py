"""What a revision takes away that the clone held none of: a comparison of nothing with nothing proves nothing.

A rehearsal that dropped an empty column and made it again saw no difference; a target may hold values in it by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from migrations_app.engine.clone.contents import Loss
from migrations_app.engine.clone.named import named
from migrations_app.engine.clone.overwriting import Spot
from migrations_app.engine.clone.retyped import computed_columns, narrows, parses
from migrations_app.engine.clone.standing import Place, Standing, Standings
from migrations_app.engine.clone.trace import StatementTrace
from migrations_app.engine.sql.assigned import assigned_columns, changes_inside
from migrations_app.engine.sql.beyond import keeps_a_secret, speaks_of_roles
from migrations_app.engine.sql.script import Script, Statement

# A default could bring back a value that every row has. Compared as text, since not every type knows what is equal.
_VARIETY = "SELECT count(*) FROM (SELECT DISTINCT {column}::text AS v FROM {table} LIMIT 3) d WHERE v IS NOT NULL"
_NOTHING = "no values"
_HELD = "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = ANY (%s) AND attname = ANY (%s) AND attnum > 0)"
_CALLED = "SELECT is_called OR last_value <> (SELECT seqstart FROM pg_sequence WHERE seqrelid = {oid}) FROM {sequence}"
_OWN_TABLES = """
SELECT EXISTS (SELECT FROM pg_extension e JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass
  AND d.refobjid = e.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
  JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p', 'S') WHERE quote_ident(e.extname) = %s)
"""
_ADDS = r"\bADD\s+(?:COLUMN\s+)?{}\b"
# What runs others: a block, or a query with a WITH.
_MAY_HIDE = frozenset({"DO", "SELECT", "INSERT", "UPDATE", "DELETE"})


def unproven_losses(
    look: Look, script: Script, traces: Sequence[StatementTrace], idle: frozenset[Spot]
) -> tuple[Loss, ...]:
    """Tables, columns and sequences that went, and columns whose type changed, while they held nothing to tell apart;
    statements that change rows and met none, or met some and left them as they were, as the `idle` ones did.
    """
    was, left = look.was, look.left
    gone = {place: one for place, one in was.items() if place not in left}
    extensions = {drop.name for one in traces for drop in one.dropped if drop.kind == "extension"}
    return (
        *look.gone(gone),
        *(loss for place, one in sorted(was.items()) if place in left for loss in look.retyped(one, left[place])),
        *look.extensions(sorted(extensions)),
        *look.statements(script, traces, idle),
    )


@dataclass(frozen=True)
class Unfilled:
    """A table, or a column of it, that goes and held too little to be lost; names are SQL text."""

    relation: str
    column: str
    same: bool  # one and the same value in every row, else nothing at all

    @property
    def name(self) -> str:
        return f"{self.relation}.{self.column}" if self.column else self.relation


def is_filled(conn: psycopg.Connection, one: Unfilled) -> bool:
    """Whether it holds more by now. Raises psycopg.Error."""
    table, column = sql.SQL(one.relation), sql.SQL(one.column)
    if one.same:
        query = sql.SQL("SELECT ({variety}) > 1").format(variety=sql.SQL(_VARIETY).format(column=column, table=table))
    elif one.column:
        query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {} IS NOT NULL)").format(table, column)
    else:
        query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(table)
    row = conn.execute(query).fetchone()
    return bool(row and row[0])


@dataclass(frozen=True)
class Look:
    """`was` and `left` are what stood before and after a script, `found` the oid behind each name in it."""

    conn: psycopg.Connection
    was: Standings
    left: Standings
    found: Mapping[str, int]

    def gone(self, gone: Mapping[Place, Standing]) -> Iterator[Loss]:
        for (oid, _), one in sorted(gone.items()):
            if one.kind == "table" and not self._rows(oid):
                said = f"Table {one.name} goes, and held no rows to show whether they come back."
                yield Loss("table", one.name, said)
            if one.kind == "column" and (oid, 0) not in gone and (held := self._little(one)):
                said = f"Column {one.name} goes, and held {held} to show whether they come back."
                yield Loss("column", one.name, said)
            # That of a column goes with the numbers it gave.
            if one.kind == "sequence" and one.owner not in gone and not self._called(oid, one):
                said = f"Sequence {one.name} goes, and had given no number to show whether its position comes back."
                yield Loss("sequence", one.name, said)

    def unfilled(self) -> Iterator[Unfilled]:
        gone = {place: one for place, one in self.was.items() if place not in self.left}
        for (oid, _), one in sorted(gone.items()):
            if one.kind == "table" and not self._rows(oid):
                yield Unfilled(one.relation, "", same=False)
            if one.kind == "column" and (oid, 0) not in gone and (held := self._little(one)):
                yield Unfilled(one.relation, one.column, same=held != _NOTHING)

    def retyped(self, one: Standing, now: Standing) -> Iterator[Loss]:
        if one.type == now.type:
            return
        was = f"Column {one.name} goes from {one.type} to {now.type}, which"
        if narrows(one.type, now.type):
            yield Loss("column", one.name, f"{was} cuts or rounds values, and held none that shows it.")
        elif parses(one.type, now.type) and (held := self._little(one)):
            yield Loss("column", one.name, f"{was} writes values its own way, and held {held} to show it.")

    def extensions(self, names: Sequence[str]) -> Iterator[Loss]:
        for name in names:
            if self._is(_OWN_TABLES, [name]):
                said = f"Extension {name} goes, and what it kept in tables of its own with it."
                yield Loss("schema", f"extension {name}", said)

    def statements(
        self, script: Script, traces: Sequence[StatementTrace], without_effect: frozenset[Spot]
    ) -> Iterator[Loss]:
        changed = {(one.step, one.statement) for one in traces if any(row[2] or row[3] for row in one.rows)}
        idle = {(one.step, one.statement) for one in traces if self._was_ready_to_write(one)}
        earlier, names = "", named(script)
        for step in script.steps:
            for number, statement in enumerate(step.statements, start=1):
                yield from self._computed(statement)
                what, words = names[step.n, number].object, names[step.n, number].words.capitalize()
                if speaks_of_roles(statement):
                    said = f"{words} speaks of roles, which are the whole server's and not compared."
                    yield Loss("schema", what, said)
                if keeps_a_secret(statement):
                    said = f"{words} changes a user mapping, whose options are secret and not compared."
                    yield Loss("schema", what, said)
                if statement.tag == "TRUNCATE TABLE":
                    met = all(self._rows(self.found.get(name, 0)) for name in statement.relations)
                else:
                    place = (step.n, number)
                    met = place in changed or not (place in idle or self.takes(statement, earlier))
                if (step.n, number) in without_effect and self.takes(statement, earlier):
                    said = f"{words} overwrites values, and changed no value that the clone holds."
                    yield Loss("values", what, said)
                if not met:
                    said = f"{words} changes or takes rows, and met none on the clone."
                    yield Loss("rows", what, said)
                earlier += statement.text

    def _computed(self, statement: Statement) -> Iterator[Loss]:
        if statement.tag != "ALTER TABLE":
            return
        oids = {self.found.get(name, 0) for name in statement.relations}
        own = {one.column: one for (oid, number), one in self.was.items() if oid in oids and number}
        for column in computed_columns(statement.text):
            one = own.get(column, own.get(column.lower()))
            if one is not None and (held := self._little(one)):
                said = f"Column {one.name} is computed anew, and held {held} to show whether they come back."
                yield Loss("column", one.name, said)

    def _was_ready_to_write(self, one: StatementTrace) -> bool:
        """It called a function that locked a table to write to it, and then wrote nothing."""
        written = {row[0] for row in one.rows}
        tables = {table.relation for table in self.was.values() if table.kind == "table"} - written
        return one.tag in ("SELECT", "CALL") and any(
            mode == "ROW EXCLUSIVE" and name in tables for name, mode in one.locks
        )

    def takes(self, statement: Statement, earlier: str) -> bool:
        """Whether rows or values that were there before the revision are at stake."""
        if statement.tag in ("DELETE", "UPDATE", "MERGE") and statement.lock is None:
            return False  # what the revision made itself
        if statement.tag == "UPDATE":
            return self._assigns_what_was_there(statement, earlier)
        return statement.tag in ("DELETE", "MERGE") or (statement.tag in _MAY_HIDE and changes_inside(statement.text))

    def _assigns_what_was_there(self, update: Statement, earlier: str) -> bool:
        """A column that the revision added holds nothing to lose, also where an older one had its name before."""
        names = assigned_columns(update.text)
        oids = [self.found.get(name, 0) for name in update.relations]
        if names is None or not all(oids):
            return True
        new = {one.column for place, one in self.left.items() if place[0] in oids and place not in self.was}
        added = {name for name in names & new if re.search(_ADDS.format(re.escape(name)), earlier, re.IGNORECASE)}
        return self._is(_HELD, [oids, sorted(names - added)])

    def _little(self, one: Standing) -> str:
        """What a column held when that is too little to tell what came back from a default; else nothing."""
        query = sql.SQL(_VARIETY).format(table=sql.SQL(one.relation), column=sql.SQL(one.column))
        row = self.conn.execute(query).fetchone()
        assert row is not None
        return (_NOTHING, "one and the same value in every row", "")[min(row[0], 2)]

    def _rows(self, oid: int) -> bool:
        """Whether the table is there and holds any."""
        one = self.was.get((oid, 0))
        return one is not None and self._is(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.SQL(one.relation)), [])

    def _called(self, oid: int, one: Standing) -> bool:
        return self._is(sql.SQL(_CALLED).format(oid=sql.Literal(oid), sequence=sql.SQL(one.relation)), [])

    def _is(self, query: str | sql.Composed, values: Sequence[object]) -> bool:
        row = self.conn.execute(query, values or None).fetchone()  # a name may hold a % when there are none
        return bool(row and row[0])
