"""BEGIN and COMMIT in a file: one outer pair is taken over by the runner, anything else is refused."""

from __future__ import annotations

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


def take_over(pieces: tuple[Piece, ...]) -> tuple[tuple[Piece, ...], bool]:
    """The statements without the outer BEGIN … COMMIT, and whether there was one."""
    first = next((n for n, piece in enumerate(pieces) if not is_setting(piece)), None)
    wrapped = first is not None and first < len(pieces) - 1 and _is_pair(pieces[first], pieces[-1])
    if first is not None and wrapped:
        _check_begin(pieces[first])
        pieces = pieces[:first] + pieces[first + 1 : -1]
    for piece in pieces:
        if piece.kind == "TransactionStmt":
            _refuse(piece)
    return pieces, wrapped


def _is_pair(first: Piece, last: Piece) -> bool:
    if first.kind != "TransactionStmt" or last.kind != "TransactionStmt":
        return False
    kinds = text(first.node, "kind") in BEGIN and text(last.node, "kind") == COMMIT
    return kinds and not flag(last.node, "chain")


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
        "Remove it. To run the whole file as one transaction, wrap everything in one BEGIN … COMMIT "
        "or write `-- lockstep:atomic` at the top.",
    )
