"""Which statements must share a transaction although nobody wrote BEGIN around the file.

* From CREATE TEMP … to the last statement that uses it: a crash in between would lose it, ON COMMIT DROP too.
* From SET CONSTRAINTS to the end: what it defers is checked when its transaction ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from migrations_app.engine.sql.split import Piece
from migrations_app.engine.sql.tree import Node, field, strings, text

Span = tuple[int, int]  # half-open
MAKERS = {"CreateStmt": "relation", "CreateSeqStmt": "sequence", "ViewStmt": "view"}


def spans(pieces: Sequence[Piece]) -> tuple[Span, ...]:
    """In file order, none overlapping another."""
    found: list[Span] = []
    for start, piece in enumerate(pieces):
        if piece.kind == "ConstraintsSetStmt":
            found.append((start, len(pieces)))
        elif names := temporary(piece):
            found.append((start, _last_use(pieces, start, names) + 1))
    return tuple(_merged(sorted(found)))


def temporary(piece: Piece) -> set[str]:
    """The names of what the statement creates for this session only."""
    if piece.kind == "CreateFunctionStmt":
        names = strings(piece.node.get("funcname"))
        return {names[-1]} if names[:-1] == ["pg_temp"] else set()
    relation = _made(piece)
    is_temporary = text(relation, "relpersistence") == "t" or text(relation, "schemaname") == "pg_temp"
    return {text(relation, "relname")} if is_temporary else set()


def _made(piece: Piece) -> Node:
    if piece.kind == "CreateTableAsStmt":
        return field(field(piece.node, "into"), "rel")
    if piece.kind == "SelectStmt":
        return field(field(piece.node, "intoClause"), "rel")
    return field(piece.node, MAKERS[piece.kind]) if piece.kind in MAKERS else {}


def _last_use(pieces: Sequence[Piece], start: int, names: set[str]) -> int:
    """By name, in DO blocks and function bodies too; a function that uses it counts like the thing itself."""
    last = start
    for number, piece in enumerate(pieces[start + 1 :], start=start + 1):
        if any(_names(piece, name) for name in names):
            last = number
            if piece.kind == "CreateFunctionStmt":
                names = names | set(strings(piece.node.get("funcname"))[-1:])
    return last


def _names(piece: Piece, name: str) -> bool:
    """`U&` can spell any name in escapes."""
    lowered = piece.text.lower()
    return "u&" in lowered or re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", lowered) is not None


def _merged(found: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in found:
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
