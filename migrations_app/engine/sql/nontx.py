"""Statements PostgreSQL refuses inside a transaction, and how the catalogue shows that each took effect."""

from __future__ import annotations

from collections.abc import Callable

from migrations_app.engine.sql.names import relation_name
from migrations_app.engine.sql.script import Postcondition
from migrations_app.engine.sql.split import Piece
from migrations_app.engine.sql.tree import (
    Node,
    field,
    flag,
    items,
    nodes,
    option,
    options,
    strings,
    text,
    unwrap,
)

RERUN = Postcondition("rerun")
UNKNOWN = Postcondition("unknown")
WHOLE = ("REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM", "REINDEX_OBJECT_DATABASE")


def postcondition_of(piece: Piece) -> Postcondition | None:
    """None means that the statement runs in a transaction."""
    rule = RULES.get(piece.kind)
    return rule(piece.node) if rule else None


def is_concurrent_index(piece: Piece) -> bool:
    return piece.kind == "IndexStmt" and flag(piece.node, "concurrent")


def _create_index(node: Node) -> Postcondition | None:
    """An index lives in the schema of its table."""
    if not flag(node, "concurrent"):
        return None
    table = field(node, "relation")
    return Postcondition(
        "index_valid",
        schema=text(table, "schemaname") or None,
        name=text(node, "idxname"),
        table=relation_name(table),
    )


def _drop(node: Node) -> Postcondition | None:
    if not flag(node, "concurrent"):
        return None
    names = ["", *strings(items(node, "objects")[0])]
    return Postcondition("index_gone", schema=names[-2] or None, name=names[-1])


def _reindex(node: Node) -> Postcondition | None:
    """Named, so that the runner can sweep what an interrupted rebuild leaves behind."""
    if not option(node, "params", "concurrently") and text(node, "kind") not in WHOLE:
        return None
    relation = field(node, "relation")
    if text(node, "kind") == "REINDEX_OBJECT_TABLE":
        return Postcondition("rerun", schema=text(relation, "schemaname") or None, table=relation_name(relation))
    if text(node, "kind") == "REINDEX_OBJECT_INDEX":
        return Postcondition("rerun", schema=text(relation, "schemaname") or None, name=text(relation, "relname"))
    return RERUN


def _vacuum(node: Node) -> Postcondition | None:
    return RERUN if flag(node, "is_vacuumcmd") else None


def _cluster(node: Node) -> Postcondition | None:
    return None if "relation" in node else RERUN


def _detach(node: Node) -> Postcondition | None:
    parent = field(node, "relation")
    for _, command in nodes(node, "cmds"):
        definition = unwrap(command.get("def"))[1]
        if flag(definition, "concurrent"):
            child = field(definition, "name")
            return Postcondition(
                "partition_detached",
                schema=text(child, "schemaname") or None,
                name=text(child, "relname"),
                table=relation_name(parent),
            )
    return None


def _alter_database(node: Node) -> Postcondition | None:
    """Moving to the tablespace where the database already is does nothing."""
    moves = any(name == "tablespace" for name, _ in options(node, "options"))
    return RERUN if moves else None


def _alter_subscription(node: Node) -> Postcondition | None:
    """Those that refresh the list of tables; adding or dropping a publication twice is an error."""
    kind = text(node, "kind")
    if kind == "ALTER_SUBSCRIPTION_REFRESH":
        return RERUN
    refreshes = any(name == "refresh" for name, _ in options(node, "options"))
    if kind.endswith("_PUBLICATION") and (not refreshes or option(node, "options", "refresh")):
        return RERUN if kind == "ALTER_SUBSCRIPTION_SET_PUBLICATION" else UNKNOWN
    return None


def _object(object_type: str, kind: str, key: str) -> Callable[[Node], Postcondition]:
    if kind == "exists":
        return lambda node: Postcondition("exists", name=text(node, key), object_type=object_type)
    return lambda node: Postcondition("gone", name=text(node, key), object_type=object_type)


RULES: dict[str, Callable[[Node], Postcondition | None]] = {
    "IndexStmt": _create_index,
    "DropStmt": _drop,
    "ReindexStmt": _reindex,
    "VacuumStmt": _vacuum,
    "ClusterStmt": _cluster,
    "AlterTableStmt": _detach,
    "AlterDatabaseStmt": _alter_database,
    "AlterSubscriptionStmt": _alter_subscription,
    "CreatedbStmt": _object("database", "exists", "dbname"),
    "DropdbStmt": _object("database", "gone", "dbname"),
    "CreateTableSpaceStmt": _object("tablespace", "exists", "tablespacename"),
    "DropTableSpaceStmt": _object("tablespace", "gone", "tablespacename"),
    "CreateSubscriptionStmt": _object("subscription", "exists", "subname"),
    "DropSubscriptionStmt": _object("subscription", "gone", "subname"),
}
