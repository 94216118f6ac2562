"""Names as SQL text: what `to_regclass` and a reader both understand."""

from __future__ import annotations

import re

from migrations_app.engine.sql.tree import Node, text, words

PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
# Words PostgreSQL does not take as a table name without quotes.
RESERVED = words(
    """all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
    collation column concurrently constraint create cross current_catalog current_date current_role
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end
    except false fetch for foreign freeze from full grant group having ilike in initially inner intersect
    into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null
    offset on only or order outer overlaps placing primary references returning right select session_user
    similar some symmetric system_user table tablesample then to trailing true union unique user using
    variadic verbose when where window with"""
)


def quote(name: str) -> str:
    if PLAIN.match(name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def dotted(*parts: str) -> str:
    return ".".join(quote(part) for part in parts if part)


def relation_name(relation: Node) -> str:
    return dotted(text(relation, "schemaname"), text(relation, "relname"))
