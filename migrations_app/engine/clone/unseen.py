"""What a rehearsal of the way back cannot see: rows and values that the revision took when it was applied.

They were gone before the clone was made, so that nothing there tells whether rolling back restores them. A rehearsal
from before the revision was applied compares them; where there was one, nobody needs to ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from migrations_app.engine.clone.contents import Loss
from migrations_app.engine.clone.named import name_of, named
from migrations_app.engine.clone.retyped import narrows, parses
from migrations_app.engine.clone.standing import Place, Standing
from migrations_app.engine.clone.trace import StatementTrace
from migrations_app.engine.clone.unproven import Look
from migrations_app.engine.sql.aside import set_aside
from migrations_app.engine.sql.script import Script, Statement

_CALLS = frozenset({"SELECT", "CALL", "DO"})
_RESTARTS = re.compile(r"\bRESTART\b", re.IGNORECASE)


def unseen_losses(look: Look, script: Script, traces: Sequence[StatementTrace]) -> tuple[Loss, ...]:
    """`look` is at the clone once it was rolled back; what it left is the clone with the revision applied.

    `traces` are those of the script, applied once more.
    """
    gone = {place: one for place, one in look.was.items() if place not in look.left}
    kept = [(one, look.left[place]) for place, one in sorted(look.was.items()) if place in look.left]
    return (
        *(_loss(one.name, f"{one.kind.capitalize()} {one.name} went") for one in _by_the_whole(gone)),
        *(
            _loss(one.name, f"Column {one.name} went from {one.type} to {now.type}")
            for one, now in kept
            if one.type != now.type and (narrows(one.type, now.type) or parses(one.type, now.type))
        ),
        *_changed(look, script, traces),
    )


def schema_not_measured(statement: Statement, script: Script) -> Loss:
    """Of one that may have overwritten what the schema said, or what is said beside it."""
    name = name_of(statement, script)
    return _loss(name.object, f"What {name.words} met was measured by nobody")


def _by_the_whole(gone: Mapping[Place, Standing]) -> Iterator[Standing]:
    """Without the columns of a table that went, and the sequences of a column."""
    for (oid, number), one in sorted(gone.items()):
        if not (number and (oid, 0) in gone) and one.owner not in gone:
            yield one


def _changed(look: Look, script: Script, traces: Sequence[StatementTrace]) -> Iterator[Loss]:
    traced, earlier = {(one.step, one.statement): one for one in traces}, ""
    names = named(script)
    for step in script.steps:
        for number, statement in enumerate(step.statements, start=1):
            there = [look.found.get(name, 0) for name in statement.relations]
            emptied = statement.tag == "TRUNCATE TABLE" and any((oid, 0) in look.was for oid in there)
            took = emptied or look.takes(statement, earlier) or _wrote(look, statement, traced.get((step.n, number)))
            if took or _restarts(statement):
                name = names[step.n, number]
                yield _loss(name.object, f"{name.words.capitalize()} took or changed values")
            earlier += statement.text


def _wrote(look: Look, statement: Statement, trace: StatementTrace | None) -> bool:
    """A function or a block that writes to what was there, whatever it meets this time; a trigger that did."""
    if statement.tag in _CALLS and trace is None:
        return True
    if trace is None or statement.tag not in _CALLS | {"INSERT"}:
        return False
    older = {one.relation for one in look.was.values() if one.kind in ("table", "sequence")}
    locked = {name for name, mode in trace.locks if mode == "ROW EXCLUSIVE"} if statement.tag in _CALLS else set()
    return bool(older & (locked | {name for name, _, updated, deleted in trace.rows if updated or deleted}))


def _restarts(statement: Statement) -> bool:
    return statement.tag in ("ALTER SEQUENCE", "ALTER TABLE") and bool(_RESTARTS.search(set_aside(statement.text)))


def _loss(name: str, what: str) -> Loss:
    why = "when it was applied, and no rehearsal from before then has seen whether rolling back restores it."
    return Loss("before", name, f"{what} {why}")
