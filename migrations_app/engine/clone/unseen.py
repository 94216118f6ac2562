"""What a rehearsal of the way back cannot see: rows and values that the revision took when it was applied.

They were gone before the clone was made, so that nothing there tells whether rolling back restores them. A rehearsal
from before the revision was applied compares them; where there was one, nobody needs to ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from migrations_app.engine.clone.contents import Loss
from migrations_app.engine.clone.retyped import narrows, parses
from migrations_app.engine.clone.standing import Place, Standing
from migrations_app.engine.clone.unproven import Look
from migrations_app.engine.sql.script import Script, Statement


def unseen_losses(look: Look, script: Script) -> tuple[Loss, ...]:
    """`look` is at the clone once it was rolled back; what it left is the clone with the revision applied."""
    gone = {place: one for place, one in look.was.items() if place not in look.left}
    kept = [(one, look.left[place]) for place, one in sorted(look.was.items()) if place in look.left]
    return (
        *(_loss(one.name, f"{one.kind.capitalize()} {one.name} went") for one in _by_the_whole(gone)),
        *(
            _loss(one.name, f"Column {one.name} went from {one.type} to {now.type}")
            for one, now in kept
            if one.type != now.type and (narrows(one.type, now.type) or parses(one.type, now.type))
        ),
        *_changed(look, script),
    )


def schema_not_measured(statement: Statement) -> Loss:
    """Of one that may have overwritten what the schema said."""
    place = f"line {statement.line}"
    return _loss(place, f"What the statement of {place} met in the schema was measured by nobody")


def _by_the_whole(gone: Mapping[Place, Standing]) -> Iterator[Standing]:
    """Without the columns of a table that went, and the sequences of a column."""
    for (oid, number), one in sorted(gone.items()):
        if not (number and (oid, 0) in gone) and one.owner not in gone:
            yield one


def _changed(look: Look, script: Script) -> Iterator[Loss]:
    earlier = ""
    for step in script.steps:
        for statement in step.statements:
            there = [look.found.get(name, 0) for name in statement.relations]
            emptied = statement.tag == "TRUNCATE TABLE" and any((oid, 0) in look.was for oid in there)
            if emptied or look.takes(statement, earlier):
                yield _loss(f"line {statement.line}", f"The statement of line {statement.line} took or changed values")
            earlier += statement.text


def _loss(name: str, what: str) -> Loss:
    why = "when it was applied, and no rehearsal from before then has seen whether rolling back restores it."
    return Loss("before", name, f"{what} {why}")
