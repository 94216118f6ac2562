"""How a loss names a statement of its script: by its line, and by its number there where it does not stand alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from migrations_app.engine.clone.overwriting import Spot
from migrations_app.engine.sql.script import Script, Statement


@dataclass(frozen=True)
class Named:
    line: int
    number: int | None  # among those that begin on its line, from 1; None: no other does

    @property
    def object(self) -> str:
        return f"line {self.line}" if self.number is None else f"statement {self.number} of line {self.line}"

    @property
    def words(self) -> str:
        return f"the statement of {self.object}" if self.number is None else self.object


def named(script: Script) -> Mapping[Spot, Named]:
    """Parameters that the file sets are no statements of its script, and not counted."""
    spots = {(step.n, number): one for step in script.steps for number, one in enumerate(step.statements, start=1)}
    on_line, so_far = Counter(one.line for one in spots.values()), Counter[int]()
    found = {}
    for spot, one in spots.items():
        so_far[one.line] += 1
        found[spot] = Named(one.line, so_far[one.line] if on_line[one.line] > 1 else None)
    return found


def name_of(statement: Statement, script: Script) -> Named:
    """Of one of the script's own; another one may have the same text."""
    statements = (one for step in script.steps for one in step.statements)
    return next(name for name, one in zip(named(script).values(), statements, strict=True) if one is statement)
