"""Cuts a file into statements where the parser says they begin and end, and counts their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrations_app.engine.sql.tree import Node, items, unwrap

BLANK = re.compile(rb"(?:[ \t\n\r\f\v]|--[^\n\r]*)+")
COMMENT_EDGE = re.compile(rb"/\*|\*/")
SPACE = b" \t\n\r\f\v"


@dataclass(frozen=True)
class Piece:
    text: str
    line: int
    kind: str
    node: Node


def mentions(piece: Piece, word: str) -> bool:
    """Whether a walk for `word` is worth it; `U&` can spell any word in escapes."""
    lowered = piece.text.lower()
    return word in lowered or "u&" in lowered


def split(sql: bytes, tree: Node) -> tuple[Piece, ...]:
    """Offsets of the parser count UTF-8 bytes, so the bytes are what is sliced."""
    return tuple(_pieces(sql, tree))


def _pieces(sql: bytes, tree: Node) -> Iterator[Piece]:
    line, counted = 1, 0
    for start, end, statement in _spans(sql, tree):
        line += sql.count(b"\n", counted, start)
        counted = start
        kind, node = unwrap(statement)
        yield Piece(text=sql[start:end].rstrip(SPACE).decode(), line=line, kind=kind, node=node)


def _spans(sql: bytes, tree: Node) -> Iterator[tuple[int, int, object]]:
    for entry in items(tree, "stmts"):
        if not isinstance(entry, dict):
            continue
        location, length = entry.get("stmt_location", 0), entry.get("stmt_len", 0)
        if isinstance(location, int) and isinstance(length, int):
            # No length means: to the end of the file.
            end = location + length if length else len(sql)
            yield skip_blank(sql, location, end), end, entry.get("stmt")


def skip_blank(sql: bytes, start: int, end: int) -> int:
    """The first byte of the statement proper, past white space and comments."""
    while start < end:
        if blank := BLANK.match(sql, start, end):
            start = blank.end()
        elif sql.startswith(b"/*", start):
            start = _past_comment(sql, start, end)
        else:
            break
    return start


def _past_comment(sql: bytes, start: int, end: int) -> int:
    """Block comments nest in PostgreSQL."""
    depth = 0
    for edge in COMMENT_EDGE.finditer(sql, start, end):
        depth += 1 if edge.group() == b"/*" else -1
        if depth == 0:
            return edge.end()
    return end
