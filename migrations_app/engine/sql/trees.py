"""The parse trees themselves, for whoever must look deeper into a statement than the runner does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from migrations_app.engine.sql import parser
from migrations_app.engine.sql.split import Piece
from migrations_app.engine.sql.tree import Node


def read_trees(sql: str) -> tuple[Piece, ...]:
    """Every statement as written, BEGIN and SET included; only what PostgreSQL can't parse is refused."""
    answer = parser.ask("trees", sql)
    return tuple(_piece(item) for item in cast(Sequence[Mapping[str, object]], answer["pieces"]))


def _piece(item: Mapping[str, object]) -> Piece:
    return Piece(
        text=str(item["text"]),
        line=int(str(item["line"])),
        kind=str(item["kind"]),
        node=cast(Node, item["node"]),
    )
