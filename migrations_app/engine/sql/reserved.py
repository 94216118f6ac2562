"""Keeps revisions off what belongs to the runner: schema `lockstep`, where the receipts live, and the target's lock.

What dynamic SQL does at run time can't be seen here; the text of DO blocks and function bodies is searched.
"""

from __future__ import annotations

import re

from migrations_app.engine.sql.refusal import refuse
from migrations_app.engine.sql.split import Piece, mentions
from migrations_app.engine.sql.tree import Node, field, string, strings, text, walk, words

SCHEMA = "lockstep"
UNLOCKING = "pg_advisory_unlock_all"
IN_BODY = re.compile(r'(?<![\w."$])"?lockstep"?\s*\.\s*["\w]', re.IGNORECASE)
SCHEMA_KEYS = ("schemaname", "newschema", "local_schema")
# Lists of names that are columns, not qualified names.
COLUMN_KEYS = words(
    """fields keys fk_attrs pk_attrs fk_del_set_cols including columns cols colnames aliascolnames attlist
    attnames publication roles args"""
)
SCHEMA_OBJECTS = ("OBJECT_SCHEMA", "ACL_TARGET_ALL_IN_SCHEMA")


def refuse_reserved(piece: Piece) -> None:
    if not mentions(piece, SCHEMA):
        return
    if _names_schema_itself(piece.node) or any(_touches(node) for node in walk(piece.node)):
        _refuse(piece)
    if piece.kind in ("DoStmt", "CreateFunctionStmt") and IN_BODY.search(piece.text):
        _refuse(piece)


def refuse_unlocking(piece: Piece) -> None:
    """pg_advisory_unlock_all() as a call of the statement's own; inside a function's text it is not seen."""
    if piece.kind == "CreateFunctionStmt" or not mentions(piece, UNLOCKING):
        return
    if any(strings(field(node, "FuncCall").get("funcname"))[-1:] == [UNLOCKING] for node in walk(piece.node)):
        refuse(
            "lock_refused",
            piece.line,
            f"{UNLOCKING}() also gives away the lock under which the runner works on this target.",
            "Give back your own locks one by one, with pg_advisory_unlock().",
        )


def _refuse(piece: Piece) -> None:
    refuse(
        "reserved_schema",
        piece.line,
        "the schema lockstep holds the receipts and belongs to the runner.",
        "Use another schema.",
    )


def _touches(node: Node) -> bool:
    if any(node.get(key) == SCHEMA for key in SCHEMA_KEYS):
        return True
    if any(_is_qualified(key, value) for key, value in node.items()):
        return True
    return _is_schema_option(node)


def _is_qualified(key: str, value: object) -> bool:
    if not isinstance(value, list) or len(value) < 2 or key in COLUMN_KEYS:
        return False
    return string(value[0]) == SCHEMA


def _is_schema_option(node: Node) -> bool:
    """CREATE EXTENSION … SCHEMA, ALTER DEFAULT PRIVILEGES IN SCHEMA, TABLES IN SCHEMA of a publication."""
    if text(node, "defname") in ("schema", "schemas"):
        arg = node.get("arg")
        return string(arg) == SCHEMA or SCHEMA in strings(arg)
    return text(node, "pubobjtype") == "PUBLICATIONOBJ_TABLES_IN_SCHEMA" and text(node, "name") == SCHEMA


def _names_schema_itself(node: Node) -> bool:
    """DROP, RENAME, GRANT, COMMENT … ON SCHEMA lockstep."""
    if not any(value in SCHEMA_OBJECTS for value in node.values() if isinstance(value, str)):
        return False
    named = [text(node, "subname"), text(node, "newname"), *strings(node.get("objects"))]
    return SCHEMA in named or string(node.get("object")) == SCHEMA
