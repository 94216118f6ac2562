"""Groups a file's statements into steps: what may share a transaction does, what must stand alone does.

1. A statement that can't run in a transaction is a step.
2. ACCESS EXCLUSIVE on an existing table, VALIDATE CONSTRAINT on an existing table, and ALTER TYPE … ADD VALUE
   (usable only once committed) are a step each.
3. Everything else up to the next such statement is one step.
4. What must stay together is one step; so is an atomic file.
A harmless SET above the first statement holds for the whole revision. One further down becomes SET LOCAL
where it stands, and is repeated at the head of every later step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from migrations_app.engine.sql.facts import Facts
from migrations_app.engine.sql.locks import BLOCKS_WRITES
from migrations_app.engine.sql.names import dotted
from migrations_app.engine.sql.refusal import refuse
from migrations_app.engine.sql.script import Statement, Step, TimeoutClass
from migrations_app.engine.sql.settings import Setting

T = TypeVar("T")
TIMEOUTS: tuple[TimeoutClass, ...] = ("brief", "validate", "online_long")


@dataclass
class Steps:
    """Takes statements in file order; `done` gives the steps."""

    atomic: bool
    _steps: list[Step] = field(default_factory=list)
    _open: list[Statement] = field(default_factory=list)
    _late: dict[str, Statement] = field(default_factory=dict)
    _now: dict[str, str] = field(default_factory=dict)
    _together: bool = False
    head: dict[str, str] = field(default_factory=dict)

    def set(self, line: int, setting: Setting) -> None:
        if self._now.get(setting.name) == setting.value:
            return
        _keep(self._now, setting.name, setting.value)
        at_the_top = not self._steps and not self._open
        if at_the_top:
            _keep(self.head, setting.name, setting.value)
            return
        statement = _set_local(line, setting)
        # Back to what the session began with: a later step has that anyway, unless the head says otherwise.
        needless = setting.value is None and setting.name not in self.head
        _keep(self._late, setting.name, None if needless else statement)
        if self._open:
            self._open.append(statement)

    def begin(self) -> None:
        """From here to `end` everything is one step."""
        self._close()
        self._together = True

    def end(self) -> None:
        self._close()
        self._together = False

    def add(self, facts: Facts) -> None:
        statement = facts.statement
        if statement.mode == "nontx":
            self._add_nontx(statement)
        elif facts.alone and not self.atomic and not self._together:
            self._close()
            self._append(statement)
            self._close()
        else:
            self._append(statement)

    def done(self) -> tuple[Step, ...]:
        self._close()
        return tuple(self._steps)

    def _append(self, statement: Statement) -> None:
        if not self._open:
            self._open.extend(self._late.values())
        self._open.append(statement)

    def _add_nontx(self, statement: Statement) -> None:
        if self.atomic or self._together:
            what = "this file asks to be one" if self.atomic else "what stands around it needs one"
            refuse(
                "nontx_in_atomic",
                statement.line,
                f"{statement.tag} can't run inside a transaction, and {what}.",
                "Move the statement to a revision of its own, or take the BEGIN … COMMIT away.",
            )
        if self._late:
            refuse(
                "set_refused",
                statement.line,
                f"{statement.tag} runs outside a transaction, where the SET before it can't hold.",
                "Move the SET above the file's first statement.",
            )
        self._close()
        self._steps.append(_step(len(self._steps) + 1, [statement]))

    def _close(self) -> None:
        if self._open:
            self._steps.append(_step(len(self._steps) + 1, self._open))
            self._open = []


def _keep(values: dict[str, T], name: str, value: T | None) -> None:
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value


def _step(n: int, statements: Sequence[Statement]) -> Step:
    return Step(
        n=n,
        mode=statements[0].mode,
        timeout_class=_timeout_class(statements),
        statements=tuple(statements),
        sha256=_sha256(statements),
    )


def _timeout_class(statements: Sequence[Statement]) -> TimeoutClass:
    """One brief lock that stops writers makes the whole step brief: nothing long may run under it."""
    if any(one.timeout_class == "brief" and one.lock in BLOCKS_WRITES for one in statements):
        return "brief"
    return max((one.timeout_class for one in statements), key=TIMEOUTS.index)


def _sha256(statements: Sequence[Statement]) -> str:
    """CRLF counts as LF here as in the file's checksum."""
    text = "\0".join(statement.text for statement in statements)
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def _set_local(line: int, setting: Setting) -> Statement:
    return Statement(
        text=_set_local_sql(setting),
        line=line,
        tag="SET",
        summary=f"SET LOCAL {setting.name}",
        mode="tx",
        timeout_class="brief",
        lock=None,
        relations=(),
        postcondition=None,
        concurrent_index=False,
    )


def _set_local_sql(setting: Setting) -> str:
    if setting.value is None:
        return f"SET LOCAL {dotted(*setting.name.split('.'))} TO DEFAULT"
    value = setting.value.replace("'", "''")
    return f"SELECT pg_catalog.set_config('{setting.name}', '{value}', true)"
