"""Statements that overwrote rows of a clone and left each value as it was: what they do to other rows nobody saw.

An `UPDATE … SET login = lower(login)` over logins that were in lower case already is the usual one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg

from migrations_app.engine.clone.contents import holds_the_same
from migrations_app.engine.clone.trace import StatementTrace
from migrations_app.engine.sql.assigned import assigned_columns
from migrations_app.engine.sql.script import Script, Statement

Spot = tuple[int, int]  # a step and a statement in it, both counted from 1


def without_effect(
    before: psycopg.Connection, after: psycopg.Connection, script: Script, traces: Sequence[StatementTrace]
) -> frozenset[Spot]:
    """`after` is the clone with the script applied."""
    found = {(step.n, number): one for step in script.steps for number, one in enumerate(step.statements, start=1)}
    return frozenset(_without_effect(before, after, found, traces))


def _without_effect(
    before: psycopg.Connection,
    after: psycopg.Connection,
    found: dict[Spot, Statement],
    traces: Sequence[StatementTrace],
) -> Iterator[Spot]:
    for one in traces:
        statement = found.get((one.step, one.statement))
        overwritten = [name for name, _, updated, _ in one.rows if updated]
        if statement is None or not overwritten or any(deleted for _, _, _, deleted in one.rows):
            continue
        columns = assigned_columns(statement.text) if statement.tag == "UPDATE" else None
        named = _named(statement, overwritten) if statement.tag == "UPDATE" else overwritten
        if all(holds_the_same(before, after, name, columns) for name in named):
            yield one.step, one.statement


def _named(update: Statement, overwritten: Sequence[str]) -> Sequence[str]:
    """Without what its triggers overwrote; a partitioned table is none of those that have rows."""
    own = {name.rpartition(".")[2] for name in update.relations}
    return [name for name in overwritten if name.rpartition(".")[2] in own] or overwritten
