"""A revision's SQL as the runner sees it: steps, each one transaction or one statement outside any.

Names in `relations`, `locks` and `Postcondition.table` are SQL text, quoted where needed, fit for
`to_regclass`; `Postcondition.schema` and `.name` are plain names, fit for catalogue queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from migrations_app.engine.sql import parser

Mode = Literal["tx", "nontx"]
# brief: seconds, behind the lock budget. validate: may run long, under locks that stop no reader or writer.
# online_long: as long as it takes, outside any transaction.
TimeoutClass = Literal["brief", "validate", "online_long"]
PostconditionKind = Literal["index_valid", "index_gone", "partition_detached", "rerun", "exists", "gone", "unknown"]

SPLITTER = 3  # raise it when the same file would give other steps; stored scripts are then read again


@dataclass(frozen=True)
class Postcondition:
    """How the catalogue tells whether a non-transactional statement took effect."""

    kind: PostconditionKind
    schema: str | None = None  # None: the search_path decides
    name: str | None = None
    table: str | None = None
    object_type: str | None = None


@dataclass(frozen=True)
class Statement:
    text: str
    line: int
    tag: str
    summary: str
    mode: Mode
    timeout_class: TimeoutClass
    lock: str | None  # strongest table lock on an object older than the revision
    relations: tuple[str, ...]  # existing tables locked in that mode, for LOCK TABLE beforehand
    postcondition: Postcondition | None
    concurrent_index: bool
    locks: tuple[tuple[str, str], ...] = ()  # every existing table with its mode, strongest first


@dataclass(frozen=True)
class Step:
    n: int
    mode: Mode
    timeout_class: TimeoutClass
    statements: tuple[Statement, ...]
    sha256: str


@dataclass(frozen=True)
class Script:
    steps: tuple[Step, ...]
    settings: tuple[tuple[str, str], ...]  # in force for the whole revision, before its first statement
    atomic: bool
    splitter: int


def read_script(sql: str) -> Script:
    """Splits an up or down file into steps; Refused names the line and the way out."""
    return script_from_json(parser.ask("script", sql))


def read_verify(sql: str) -> tuple[Statement, ...]:
    """The statements of a verify file, none of which needs to run outside a transaction."""
    answer = parser.ask("verify", sql)
    return tuple(_statement(item) for item in _list(answer, "statements"))


def script_to_json(script: Script) -> dict[str, object]:
    steps = [{**vars(step), "statements": [*map(statement_to_json, step.statements)]} for step in script.steps]
    return {**vars(script), "steps": steps}


def script_from_json(data: Mapping[str, object]) -> Script:
    return Script(
        steps=tuple(_step(item) for item in _list(data, "steps")),
        settings=_pairs(data, "settings"),
        atomic=bool(data["atomic"]),
        splitter=int(str(data["splitter"])),
    )


def statement_to_json(statement: Statement) -> dict[str, object]:
    condition = statement.postcondition
    return {**vars(statement), "postcondition": vars(condition) if condition else None}


def statements_to_json(statements: Sequence[Statement]) -> list[dict[str, object]]:
    """A verify file's statements, as they are stored."""
    return [statement_to_json(statement) for statement in statements]


def statements_from_json(items: Sequence[Mapping[str, object]]) -> tuple[Statement, ...]:
    return tuple(_statement(item) for item in items)


def _step(data: Mapping[str, object]) -> Step:
    return Step(
        n=int(str(data["n"])),
        mode=cast(Mode, data["mode"]),
        timeout_class=cast(TimeoutClass, data["timeout_class"]),
        statements=tuple(_statement(item) for item in _list(data, "statements")),
        sha256=str(data["sha256"]),
    )


def _statement(data: Mapping[str, object]) -> Statement:
    condition, lock = data["postcondition"], data["lock"]
    return Statement(
        text=str(data["text"]),
        line=int(str(data["line"])),
        tag=str(data["tag"]),
        summary=str(data["summary"]),
        mode=cast(Mode, data["mode"]),
        timeout_class=cast(TimeoutClass, data["timeout_class"]),
        lock=None if lock is None else str(lock),
        relations=tuple(str(name) for name in cast(Sequence[object], data["relations"])),
        postcondition=None if condition is None else _postcondition(cast(Mapping[str, object], condition)),
        concurrent_index=bool(data["concurrent_index"]),
        locks=_pairs(data, "locks"),
    )


def _postcondition(data: Mapping[str, object]) -> Postcondition:
    return Postcondition(
        kind=cast(PostconditionKind, data["kind"]),
        schema=_optional(data, "schema"),
        name=_optional(data, "name"),
        table=_optional(data, "table"),
        object_type=_optional(data, "object_type"),
    )


def _optional(data: Mapping[str, object], key: str) -> str | None:
    value = data.get(key)
    return None if value is None else str(value)


def _list(data: Mapping[str, object], key: str) -> Sequence[Mapping[str, object]]:
    return cast(Sequence[Mapping[str, object]], data[key])


def _pairs(data: Mapping[str, object], key: str) -> tuple[tuple[str, str], ...]:
    pairs = cast(Sequence[Sequence[object]], data[key])
    return tuple((str(first), str(second)) for first, second in pairs)
