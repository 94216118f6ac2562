"""BEGIN and COMMIT in a file: the runner takes each pair over, and what stood between becomes one step."""

from __future__ import annotations

from dataclasses import dataclass

from migrations_app.engine.sql.refusal import refuse
from migrations_app.engine.sql.settings import is_setting
from migrations_app.engine.sql.split import Piece
from migrations_app.engine.sql.tree import Node, field, flag, options, text, unwrap

BEGIN = ("TRANS_STMT_BEGIN", "TRANS_STMT_START")
COMMIT = "TRANS_STMT_COMMIT"
NAMES = {
    "TRANS_STMT_BEGIN": "BEGIN",
    "TRANS_STMT_START": "START TRANSACTION",
    "TRANS_STMT_COMMIT": "COMMIT",
    "TRANS_STMT_ROLLBACK": "ROLLBACK",
    "TRANS_STMT_SAVEPOINT": "SAVEPOINT",
    "TRANS_STMT_RELEASE": "RELEASE SAVEPOINT",
    "TRANS_STMT_ROLLBACK_TO": "ROLLBACK TO SAVEPOINT",
    "TRANS_STMT_PREPARE": "PREPARE TRANSACTION",
    "TRANS_STMT_COMMIT_PREPARED": "COMMIT PREPARED",
    "TRANS_STMT_ROLLBACK_PREPARED": "ROLLBACK PREPARED",
}


@dataclass(frozen=True)
class Taken:
    """The statements without BEGIN and COMMIT, and which of them (half-open ranges) stood between a pair."""

    pieces: tuple[Piece, ...]
    blocks: tuple[tuple[int, int], ...]
    wrapped: bool  # one pair around the whole file
    begun: int  # the line of the first BEGIN


def take_over(pieces: tuple[Piece, ...]) -> Taken:
    kept: list[Piece] = []
    blocks: list[tuple[int, int]] = []
    opened: tuple[int, Piece] | None = None
    begun = 0
    for piece in pieces:
        if piece.kind != "TransactionStmt":
            kept.append(piece)
        elif opened is None and _is_begin(piece):
            _check_begin(piece)
            opened = len(kept), piece
            begun = begun or piece.line
        elif opened is not None and _is_commit(piece):
            blocks.append((opened[0], len(kept)))
            opened = None
        else:
            _refuse(piece)
    if opened is not None:
        _refuse(opened[1])
    return Taken(tuple(kept), tuple(blocks), _is_wrapped(kept, blocks), begun)


def _is_wrapped(kept: list[Piece], blocks: list[tuple[int, int]]) -> bool:
    """Parameters above the pair hold for the file, as they do without one."""
    if len(blocks) != 1:
        return False
    start, end = blocks[0]
    return end == len(kept) and all(is_setting(piece) for piece in kept[:start])


def _is_begin(piece: Piece) -> bool:
    return text(piece.node, "kind") in BEGIN


def _is_commit(piece: Piece) -> bool:
    return text(piece.node, "kind") == COMMIT and not flag(piece.node, "chain")


def _check_begin(piece: Piece) -> None:
    for name, element in options(piece.node, "options"):
        if (name, _value(element)) not in (
            ("transaction_isolation", "read committed"),
            ("transaction_read_only", 0),
            ("transaction_deferrable", 0),
        ):
            refuse(
                "embedded_transaction",
                piece.line,
                "the runner's transactions are READ COMMITTED and READ WRITE; this BEGIN asks for another.",
                "Write plain BEGIN.",
            )


def _value(element: Node) -> object:
    node = unwrap(element.get("arg"))[1]
    if "sval" in node:
        return text(field(node, "sval"), "sval")
    return field(node, "ival").get("ival", 0)


def _refuse(piece: Piece) -> None:
    name = NAMES.get(text(piece.node, "kind"), "a transaction statement")
    refuse(
        "embedded_transaction",
        piece.line,
        f"{name} inside a revision would take the transaction away from the runner.",
        "Remove it. To run statements as one transaction, put BEGIN before and COMMIT after them, "
        "or write `-- lockstep:atomic` at the top for the whole file.",
    )
