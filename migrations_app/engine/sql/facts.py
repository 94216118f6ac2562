"""Everything the runner must know about one statement before it runs it."""

from __future__ import annotations

from dataclasses import dataclass

from migrations_app.engine.sql.created import Created
from migrations_app.engine.sql.locks import AE, BLOCKS_WRITES, Locks, locks_of
from migrations_app.engine.sql.nontx import is_concurrent_index, postcondition_of
from migrations_app.engine.sql.script import Postcondition, Statement, TimeoutClass
from migrations_app.engine.sql.split import Piece
from migrations_app.engine.sql.summary import summarise
from migrations_app.engine.sql.tags import tag_of
from migrations_app.engine.sql.tree import nodes, text, words

# May take long without stopping anybody, as long as they hold no strong lock on an existing table.
LONG = words(
    """AlterTableStmt CallStmt CreateTableAsStmt DeleteStmt DoStmt IndexStmt InsertStmt MergeStmt
    RefreshMatViewStmt ReindexStmt SelectStmt UpdateStmt VacuumStmt"""
)


@dataclass(frozen=True)
class Facts:
    statement: Statement
    alone: bool  # a transactional statement that shares its step with no other


def facts_of(piece: Piece, created: Created) -> Facts:
    created.note_before(piece)
    locks = locks_of(piece, created)
    postcondition = postcondition_of(piece)
    tag = tag_of(piece)
    statement = Statement(
        text=piece.text,
        line=piece.line,
        tag=tag,
        summary=summarise(piece.text, tag),
        mode="nontx" if postcondition else "tx",
        timeout_class=_timeout_class(piece, locks, postcondition),
        lock=locks.strongest,
        relations=locks.relations,
        postcondition=postcondition,
        concurrent_index=is_concurrent_index(piece),
        locks=locks.tables,
    )
    return Facts(statement, alone=_stands_alone(piece, locks))


def _timeout_class(piece: Piece, locks: Locks, postcondition: Postcondition | None) -> TimeoutClass:
    if postcondition:
        return "brief" if locks.strongest == AE else "online_long"
    refresh = piece.kind == "RefreshMatViewStmt" and locks.strongest != AE
    if locks.strongest in BLOCKS_WRITES and not refresh:
        return "brief"
    if piece.kind == "AlterTableStmt":
        return "validate" if _validates(piece) else "brief"
    return "validate" if piece.kind in LONG else "brief"


def _stands_alone(piece: Piece, locks: Locks) -> bool:
    if piece.kind == "AlterEnumStmt":
        return "newVal" in piece.node and "oldVal" not in piece.node
    return locks.exclusive or (_validates(piece) and locks.strongest is not None)


def _validates(piece: Piece) -> bool:
    commands = nodes(piece.node, "cmds")
    return any(text(command, "subtype") == "AT_ValidateConstraint" for _, command in commands)
