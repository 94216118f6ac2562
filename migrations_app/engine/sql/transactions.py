"""BEGIN and COMMIT in a file: one pair around everything is the runner's to write, any other is refused."""

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
    """The statements without BEGIN and COMMIT."""

    pieces: tuple[Piece, ...]
    wrapped: bool  # one pair stood around the whole file


def take_over(pieces: tuple[Piece, ...]) -> Taken:
    begin = _begin_of(pieces)
    commit = pieces[-1] if begin and _is_commit(pieces[-1]) else None
    kept = tuple(piece for piece in pieces if piece is not begin and piece is not commit)
    for piece in kept:
        if piece.kind == "TransactionStmt":
            _refuse(piece)
    if begin and not commit:
        _refuse(begin)
    return Taken(kept, wrapped=begin is not None)


def _begin_of(pieces: tuple[Piece, ...]) -> Piece | None:
    """The first statement but for parameters, which hold for the file above the pair as they do without one."""
    first = next((piece for piece in pieces if not is_setting(piece)), None)
    if first is None or not _is_begin(first):
        return None
    _check_begin(first)
    return first


def _is_begin(piece: Piece) -> bool:
    return piece.kind == "TransactionStmt" and text(piece.node, "kind") in BEGIN


def _is_commit(piece: Piece) -> bool:
    kind = text(piece.node, "kind")
    return piece.kind == "TransactionStmt" and kind == COMMIT and not flag(piece.node, "chain")


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
        "Remove it. To run the whole file as one transaction, put one BEGIN at its top and one COMMIT at its end, "
        "or write `-- lockstep:atomic` at the top; what needs a transaction of its own goes into another revision.",
    )
