"""A revision's SQL as the runner sees it: steps, each one transaction or one statement outside any.

Names in `relations`, `locks` and `Postcondition.table` are SQL text, quoted where needed, fit for
`to_regclass`; `Postcondition.schema` and `.name` are plain names, fit for catalogue queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
    return statements_from_json(parser.ask("verify", sql)["statements"])


def script_to_json(script: Script) -> dict[str, object]:
    steps = [{**vars(step), "statements": [*map(statement_to_json, step.statements)]} for step in script.steps]
    return {**vars(script), "steps": steps}


def script_from_json(data: Mapping[str, Any]) -> Script:
    return Script(**{**data, "steps": tuple(map(_step, data["steps"])), "settings": _pairs(data["settings"])})


def statement_to_json(statement: Statement) -> dict[str, object]:
    condition = statement.postcondition
    return {**vars(statement), "postcondition": vars(condition) if condition else None}


def statements_to_json(statements: Sequence[Statement]) -> list[dict[str, object]]:
    """A verify file's statements, as they are stored."""
    return [statement_to_json(statement) for statement in statements]


def statements_from_json(items: Sequence[Mapping[str, Any]]) -> tuple[Statement, ...]:
    return tuple(map(_statement, items))


def _step(data: Mapping[str, Any]) -> Step:
    return Step(**{**data, "statements": statements_from_json(data["statements"])})


def _statement(data: Mapping[str, Any]) -> Statement:
    condition = data["postcondition"]
    rest = {
        "relations": tuple(data["relations"]),
        "postcondition": Postcondition(**condition) if condition else None,
        "locks": _pairs(data["locks"]),
    }
    return Statement(**{**data, **rest})


def _pairs(pairs: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in pairs)
