"""Remembers what a revision itself creates: nobody can be waiting for a table that is not there yet.

CREATE … IF NOT EXISTS counts as creating. A name written once with and once without its schema counts
as two, so the second is taken for an existing table: more steps, never fewer.
"""

from __future__ import annotations

from collections.abc import Callable

from migrations_app.engine.sql.split import Piece
from migrations_app.engine.sql.tree import Node, field, items, strings, text, unwrap

Key = tuple[str, str]
Renamed = Callable[[Key], Key]
MAKERS = {
    "CreateStmt": "relation",
    "CreateSeqStmt": "sequence",
    "ViewStmt": "view",
}
RELATIONS = frozenset(("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE"))


class Created:
    """The relations created so far, in file order."""

    def __init__(self) -> None:
        self._names: set[Key] = set()

    def holds(self, relation: Node) -> bool:
        return _key(relation) in self._names

    def note_before(self, piece: Piece) -> None:
        """CREATE TABLE and CREATE SCHEMA may refer to what they themselves create."""
        if piece.kind in ("CreateStmt", "CreateSchemaStmt"):
            self._add(piece)

    def note(self, piece: Piece) -> None:
        """Called after a statement's own facts are read: what it creates is new for the next one."""
        self._add(piece)
        if piece.kind == "DropStmt" and text(piece.node, "removeType") in RELATIONS:
            self._names -= {_key_of(strings(name)) for name in items(piece.node, "objects")}
        if piece.kind == "RenameStmt" and text(piece.node, "renameType") in RELATIONS:
            self._move(piece.node, lambda key: (key[0], text(piece.node, "newname")))
        if piece.kind == "AlterObjectSchemaStmt" and text(piece.node, "objectType") in RELATIONS:
            self._move(piece.node, lambda key: (text(piece.node, "newschema"), key[1]))

    def _add(self, piece: Piece) -> None:
        for relation in relations_made(piece.kind, piece.node):
            if text(relation, "relname"):
                self._names.add(_key(relation))

    def _move(self, node: Node, renamed: Renamed) -> None:
        """A new table takes its newness along; an old table takes it away from the name it moves to."""
        key = _key(field(node, "relation"))
        target = renamed(key)
        if key in self._names:
            self._names.remove(key)
            self._names.add(target)
        else:
            self._names.discard(target)


def relations_made(kind: str, node: Node) -> list[Node]:
    """Those that one statement makes."""
    if kind == "CreateForeignTableStmt":
        return [field(field(node, "base"), "relation") or field(field(node, "base_stmt"), "relation")]
    if kind == "CreateTableAsStmt":
        return [field(field(node, "into"), "rel")]
    if kind == "SelectStmt" and "intoClause" in node:
        return [field(field(node, "intoClause"), "rel")]
    if kind == "CreateSchemaStmt":
        return _inside_schema(node)
    return [field(node, MAKERS[kind])] if kind in MAKERS else []


def _inside_schema(node: Node) -> list[Node]:
    """CREATE SCHEMA s CREATE TABLE t …: the elements live in s."""
    found: list[Node] = []
    for element in items(node, "schemaElts"):
        found += relations_made(*unwrap(element))
    return [{"schemaname": text(node, "schemaname"), **relation} for relation in found]


def _key(relation: Node) -> Key:
    return text(relation, "schemaname"), text(relation, "relname")


def _key_of(names: list[str]) -> Key:
    schema, name = ["", "", *names][-2:]
    return schema, name
