"""Statements that may overwrite what the schema said before, and do so again without complaint.

What creates, adds or renames fails where that is done already: if it can be applied again after a way back, then the
way back took it away. A default that is set, a right that is given, a function that is replaced prove nothing of the
kind, unless the script itself made what they are about.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.created import relations_made
from migrations_app.engine.sql.script import Script, Statement
from migrations_app.engine.sql.split import Piece
from migrations_app.engine.sql.tree import Node, field, flag, items, nodes, strings, text, unwrap, words
from migrations_app.engine.sql.trees import read_trees

Name = tuple[str, ...]  # of an object, or of a column or constraint behind that of its table; without the schema

# These change rows, or nothing that lasts.
_NO_SCHEMA = words(
    """CheckPointStmt ConstraintsSetStmt CopyStmt DeleteStmt ExplainStmt InsertStmt LockStmt MergeStmt NotifyStmt
    RefreshMatViewStmt ReindexStmt TransactionStmt TruncateStmt UpdateStmt VacuumStmt VariableSetStmt
    VariableShowStmt"""
)
_CREATES = words("CompositeTypeStmt DefineStmt IndexStmt RuleStmt ViewStmt")
_ADDS = words("AT_AddColumn AT_AddConstraint AT_AddIdentity AT_AddInherit AT_AttachPartition")
_ONE_NAME = ("idxname", "trigname", "policy_name", "extname", "schemaname", "rulename")
_NAMES = ("funcname", "typeName", "domainname", "defnames")
_PARTS = words("OBJECT_COLUMN OBJECT_TABCONSTRAINT")


def overwriting(script: Script) -> Statement | None:
    """The first statement that could have found its own effect there already, or another state that it hides."""
    made: set[Name] = set()
    statements = (one for step in script.steps for one in step.statements)
    return next((one for one in statements if not _prove(one, made)), None)


def _prove(statement: Statement, made: set[Name]) -> bool:
    try:
        return all(_proves(piece, made) for piece in read_trees(statement.text))
    except Refused:  # too deep to be looked at
        return False


def _proves(piece: Piece, made: set[Name]) -> bool:
    kind, node = piece.kind, piece.node
    if kind in _NO_SCHEMA or kind in ("RenameStmt", "AlterObjectSchemaStmt"):
        return True
    if kind == "AlterTableStmt":
        return _alters(node, made)
    if kind == "AlterEnumStmt":
        return not flag(node, "skipIfNewValExists")
    if kind in _CREATES or kind.startswith("Create"):
        made.update(_made(kind, node))
        base = field(node, "base_stmt") or field(node, "base") or node
        return not (flag(base, "if_not_exists") or flag(node, "replace"))
    subjects = list(_subjects(node))
    return bool(subjects) and all(made & alternatives for alternatives in subjects)


def _alters(node: Node, made: set[Name]) -> bool:
    table = text(field(node, "relation"), "relname")
    if (table,) in made:
        return True
    for _, command in nodes(node, "cmds"):
        added = text(command, "subtype") in _ADDS and not flag(command, "missing_ok")
        definition = unwrap(command.get("def"))[1]
        name = text(definition, "colname") or text(definition, "conname")
        if added and name:
            made.add((table, name))
        if not added and (table, text(command, "name")) not in made:
            return False
    return True


def _made(kind: str, node: Node) -> Iterator[Name]:
    for relation in relations_made(kind, node):
        yield (text(relation, "relname"),)
    for key in _ONE_NAME:
        if text(node, key):
            yield (text(node, key),)
    for key in _NAMES:
        yield from ((name,) for name in strings(node.get(key))[-1:])


def _subjects(node: Node) -> Iterator[set[Name]]:
    """What a statement is about, each with the names that would do."""
    of_a_table = text(node, "objtype") in _PARTS
    for value in (node.get("object"), *items(node, "objects")):
        kind, named = unwrap(value)
        names = strings([value]) or [text(named, "relname")] if kind in ("String", "RangeVar") else _listed(value)
        if any(names):
            yield {(names[-2],), (names[-2], names[-1])} if of_a_table and len(names) > 1 else {(names[-1],)}
    for key in ("relation", "sequence"):
        if text(field(node, key), "relname"):
            yield {(text(field(node, key), "relname"),)}


def _listed(value: object) -> list[str]:
    """The parts of a name as List, ObjectWithArgs or TypeName hold them."""
    kind, named = unwrap(value)
    keys = {"ObjectWithArgs": "objname", "TypeName": "names"}
    return strings(named.get(keys[kind])) if kind in keys else strings(value) if isinstance(value, dict) else []
