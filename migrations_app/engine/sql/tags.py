"""The command tag of a statement: what it is, in PostgreSQL's own words."""

from __future__ import annotations

import re

from migrations_app.engine.sql.split import Piece
from migrations_app.engine.sql.tree import Node, flag, text

FIRST_WORDS = re.compile(r"[A-Za-z]+")
TAGS = {
    "AlterDatabaseSetStmt": "ALTER DATABASE",
    "AlterDatabaseStmt": "ALTER DATABASE",
    "AlterDefaultPrivilegesStmt": "ALTER DEFAULT PRIVILEGES",
    "AlterDomainStmt": "ALTER DOMAIN",
    "AlterEnumStmt": "ALTER TYPE",
    "AlterExtensionContentsStmt": "ALTER EXTENSION",
    "AlterExtensionStmt": "ALTER EXTENSION",
    "AlterFunctionStmt": "ALTER FUNCTION",
    "AlterPolicyStmt": "ALTER POLICY",
    "AlterPublicationStmt": "ALTER PUBLICATION",
    "AlterRoleSetStmt": "ALTER ROLE",
    "AlterRoleStmt": "ALTER ROLE",
    "AlterSeqStmt": "ALTER SEQUENCE",
    "AlterStatsStmt": "ALTER STATISTICS",
    "AlterSubscriptionStmt": "ALTER SUBSCRIPTION",
    "AlterTableMoveAllStmt": "ALTER TABLE",
    "AlterTypeStmt": "ALTER TYPE",
    "CallStmt": "CALL",
    "CheckPointStmt": "CHECKPOINT",
    "ClusterStmt": "CLUSTER",
    "CommentStmt": "COMMENT",
    "CompositeTypeStmt": "CREATE TYPE",
    "ConstraintsSetStmt": "SET CONSTRAINTS",
    "CreateCastStmt": "CREATE CAST",
    "CreateDomainStmt": "CREATE DOMAIN",
    "CreateEnumStmt": "CREATE TYPE",
    "CreateEventTrigStmt": "CREATE EVENT TRIGGER",
    "CreateExtensionStmt": "CREATE EXTENSION",
    "CreateForeignTableStmt": "CREATE FOREIGN TABLE",
    "CreatePolicyStmt": "CREATE POLICY",
    "CreatePublicationStmt": "CREATE PUBLICATION",
    "CreateRangeStmt": "CREATE TYPE",
    "CreateRoleStmt": "CREATE ROLE",
    "CreateSchemaStmt": "CREATE SCHEMA",
    "CreateSeqStmt": "CREATE SEQUENCE",
    "CreateStatsStmt": "CREATE STATISTICS",
    "CreateStmt": "CREATE TABLE",
    "CreateSubscriptionStmt": "CREATE SUBSCRIPTION",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "CreateTrigStmt": "CREATE TRIGGER",
    "CreatedbStmt": "CREATE DATABASE",
    "DeleteStmt": "DELETE",
    "DoStmt": "DO",
    "DropOwnedStmt": "DROP OWNED",
    "DropRoleStmt": "DROP ROLE",
    "DropSubscriptionStmt": "DROP SUBSCRIPTION",
    "DropTableSpaceStmt": "DROP TABLESPACE",
    "DropdbStmt": "DROP DATABASE",
    "ExplainStmt": "EXPLAIN",
    "IndexStmt": "CREATE INDEX",
    "InsertStmt": "INSERT",
    "LockStmt": "LOCK TABLE",
    "MergeStmt": "MERGE",
    "NotifyStmt": "NOTIFY",
    "ReassignOwnedStmt": "REASSIGN OWNED",
    "RefreshMatViewStmt": "REFRESH MATERIALIZED VIEW",
    "ReindexStmt": "REINDEX",
    "RuleStmt": "CREATE RULE",
    "SecLabelStmt": "SECURITY LABEL",
    "SelectStmt": "SELECT",
    "TruncateStmt": "TRUNCATE TABLE",
    "UpdateStmt": "UPDATE",
    "VariableSetStmt": "SET",
    "VariableShowStmt": "SHOW",
    "ViewStmt": "CREATE VIEW",
}
# Node kinds that serve several kinds of object: the verb, and the field that names the object.
VERBS = {
    "AlterObjectDependsStmt": ("ALTER", "objectType"),
    "AlterObjectSchemaStmt": ("ALTER", "objectType"),
    "AlterOwnerStmt": ("ALTER", "objectType"),
    "AlterTableStmt": ("ALTER", "objtype"),
    "CreateTableAsStmt": ("CREATE", "objtype"),
    "DefineStmt": ("CREATE", "kind"),
    "DropStmt": ("DROP", "removeType"),
    "RenameStmt": ("ALTER", "renameType"),
}
OBJECTS = {
    "MATVIEW": "MATERIALIZED VIEW",
    "TABCONSTRAINT": "TABLE",
    "DOMCONSTRAINT": "DOMAIN",
    "ATTRIBUTE": "TYPE",
}


def tag_of(piece: Piece) -> str:
    if piece.kind in VERBS:
        verb, key = VERBS[piece.kind]
        return f"{verb} {_object(piece.node, key)}"
    if piece.kind == "VacuumStmt":
        return "VACUUM" if flag(piece.node, "is_vacuumcmd") else "ANALYZE"
    if piece.kind == "CreateFunctionStmt":
        return "CREATE PROCEDURE" if flag(piece.node, "is_procedure") else "CREATE FUNCTION"
    if piece.kind in ("GrantStmt", "GrantRoleStmt"):
        return "GRANT" if flag(piece.node, "is_grant") else "REVOKE"
    return TAGS.get(piece.kind) or _first_word(piece.text)


def _object(node: Node, key: str) -> str:
    name = text(node, key).removeprefix("OBJECT_")
    if name == "COLUMN":
        name = text(node, "relationType").removeprefix("OBJECT_")
    return OBJECTS.get(name, name.replace("_", " ")) or "TABLE"


def _first_word(sql: str) -> str:
    match = FIRST_WORDS.search(sql)
    return match.group().upper() if match else "SQL"
