"""Which statements take rows, columns or tables with what they hold: what no down file brings back.

A lexical reading of one parsed statement; strings, comments and quoted names are set aside first. Views, functions,
indexes and triggers are no loss: their definition is in a revision. What a function, a DO block or a changed type
does to rows is not seen here; only a rehearsal sees that.
"""

from __future__ import annotations

import re

from migrations_app.engine.sql.aside import set_aside
from migrations_app.engine.sql.script import Statement

# Their objects hold rows or numbers, or are held by columns.
_DROPS = frozenset(
    f"DROP {kind}" for kind in ("TABLE", "SCHEMA", "SEQUENCE", "TYPE", "DOMAIN", "OWNED", "DATABASE", "FOREIGN TABLE")
)
_TAKES = frozenset({"DELETE", "TRUNCATE TABLE"})
# What these do depends on the rows they meet, or cannot be told from their text.
_CHANGES = frozenset({"UPDATE", "INSERT", "MERGE", "COPY", "SELECT", "DO", "CALL", "EXECUTE"})
# A body that runs later, or nothing but a definition.
_DEFINITIONS = re.compile(r"CREATE (?:FUNCTION|PROCEDURE|RULE|TRIGGER|VIEW|MATERIALIZED VIEW|POLICY)\b")
_COLUMN = re.compile(r"\bDROP\s+(?!CONSTRAINT\b|DEFAULT\b|NOT\b|IDENTITY\b|EXPRESSION\b)", re.IGNORECASE)
_TYPE = re.compile(r"\bTYPE\b", re.IGNORECASE)
_INSIDE = re.compile(r"\bDELETE\s+FROM\b|\bTHEN\s+DELETE\b", re.IGNORECASE)
_CASCADE = re.compile(r"\bCASCADE\s*$", re.IGNORECASE)


def loses(statement: Statement) -> bool:
    """True when rows, columns or what holds them are gone once the statement is committed."""
    tag = statement.tag
    if tag in _DROPS or tag in _TAKES:
        return True
    if _DEFINITIONS.match(tag):
        return False
    words = set_aside(statement.text)
    if tag.startswith("DROP "):
        return _CASCADE.search(words.rstrip().rstrip(";").rstrip()) is not None
    if tag in ("ALTER TABLE", "ALTER FOREIGN TABLE", "ALTER TYPE"):
        return _COLUMN.search(words) is not None
    return _INSIDE.search(words) is not None


def depends_on_rows(statement: Statement) -> bool:
    """True when what it takes or changes depends on the rows it meets: it proved nothing of rows that came later."""
    return statement.tag in _CHANGES or loses(statement) or changes_type(statement)


def changes_type(statement: Statement) -> bool:
    """Of a column."""
    return statement.tag == "ALTER TABLE" and _TYPE.search(set_aside(statement.text)) is not None
