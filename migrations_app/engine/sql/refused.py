"""Statements a revision may not contain, because they outlive it, leave it, or belong to the runner."""

from __future__ import annotations

from collections.abc import Callable

from migrations_app.engine.sql.refusal import refuse
from migrations_app.engine.sql.split import Piece
from migrations_app.engine.sql.tree import flag, items, text

SESSION = {
    "AlterSystemStmt": (
        "ALTER SYSTEM changes the whole server.",
        "Change the server's configuration instead.",
    ),
    "LoadStmt": ("LOAD brings a library into one session only.", "Use CREATE EXTENSION, or server settings."),
    "DiscardStmt": ("DISCARD throws the runner's session state away.", "Remove it."),
    "ListenStmt": ("LISTEN belongs to a session, and the runner's ends.", "Remove it."),
    "UnlistenStmt": ("UNLISTEN belongs to a session, and the runner's ends.", "Remove it."),
    "PrepareStmt": ("PREPARE keeps a statement in one session only.", "Write the statement itself."),
    "ExecuteStmt": ("EXECUTE needs a statement prepared in the same session.", "Write the statement itself."),
    "DeallocateStmt": ("DEALLOCATE belongs to a session, and the runner's ends.", "Remove it."),
    "DeclareCursorStmt": ("a cursor belongs to one session.", "Loop inside a DO block instead."),
    "FetchStmt": ("a cursor belongs to one session.", "Loop inside a DO block instead."),
    "ClosePortalStmt": ("a cursor belongs to one session.", "Loop inside a DO block instead."),
}


def refuse_forbidden(piece: Piece, *, may_lock: bool) -> None:
    """`may_lock`: the whole file is one transaction, to whose end LOCK TABLE holds."""
    if piece.kind in SESSION:
        what, way_out = SESSION[piece.kind]
        refuse("session_statement", piece.line, what, way_out)
    if piece.kind == "LockStmt" and not may_lock:
        _lock(piece)
    if check := CHECKS.get(piece.kind):
        check(piece)


def _copy(piece: Piece) -> None:
    if flag(piece.node, "is_program") or text(piece.node, "filename"):
        refuse(
            "session_statement",
            piece.line,
            "COPY with a program or a file reaches into the server's machine.",
            "Write INSERT statements, or load the data outside the revision.",
        )
    refuse(
        "psql_command",
        piece.line,
        "COPY to or from the client needs psql at the other end.",
        "Write INSERT statements (pg_dump --inserts), or load the data outside the revision.",
    )


def _lock(piece: Piece) -> None:
    refuse(
        "lock_table",
        piece.line,
        "LOCK TABLE holds to the end of a transaction, and this file writes none.",
        "Put one BEGIN … COMMIT around the whole file, or remove it: the runner locks.",
    )


def _index(piece: Piece) -> None:
    if flag(piece.node, "concurrent") and not text(piece.node, "idxname"):
        refuse(
            "unnamed_index",
            piece.line,
            "CREATE INDEX CONCURRENTLY without a name can't be found again after an interruption.",
            "Name the index.",
        )


def _drop(piece: Piece) -> None:
    if flag(piece.node, "concurrent") and len(items(piece.node, "objects")) > 1:
        refuse(
            "one_index_each",
            piece.line,
            "DROP INDEX CONCURRENTLY takes one index at a time.",
            "Write one statement per index.",
        )


CHECKS: dict[str, Callable[[Piece], None]] = {
    "CopyStmt": _copy,
    "IndexStmt": _index,
    "DropStmt": _drop,
}
