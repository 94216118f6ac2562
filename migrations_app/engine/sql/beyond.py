"""Which statements reach beyond the database they run in: roles, databases, what the whole server shares."""

from __future__ import annotations

import re

from migrations_app.engine.sql.aside import set_aside
from migrations_app.engine.sql.script import Script, Statement

_TAGS = re.compile(
    r"(?:CREATE|ALTER|DROP) (?:ROLE|USER|GROUP|DATABASE|TABLESPACE|SUBSCRIPTION|SYSTEM)\b|(?:DROP|REASSIGN) OWNED\b"
)
_SAID_OF = frozenset({"GRANT", "REVOKE", "COMMENT", "SECURITY LABEL"})
_WHOLE = frozenset({"ROLE", "DATABASE", "TABLESPACE", "PARAMETER"})
_ON = re.compile(r"\bON\s+(\w+)", re.IGNORECASE)
# As a block may make them, from a string too.
_ROLES = re.compile(
    r"""\b(?:CREATE|ALTER|DROP)\s+(?:ROLE|USER|GROUP)\b(?!\s+MAPPING\b)
    |\b(?:GRANT|REVOKE)\s+(?:\w+\s+OPTION\s+FOR\s+)?[\w%"]+(?:\s*,\s*[\w%"]+)*\s+(?:TO|FROM)\b""",
    re.IGNORECASE | re.VERBOSE,
)

_MAPPING = re.compile(r"\b(?:ALTER|DROP)\s+USER\s+MAPPING\b", re.IGNORECASE)
# What a rehearsal compares and no receipt measures; see fingerprint_beside.sql.
_BESIDE = re.compile(
    r"""\b(?:ALTER|COMMENT\s+ON)\s+DATABASE\b|\bSET\s+TABLESPACE\b|\bLARGE\s+OBJECT\b|\blo_\w+\s*\(
    |\b(?:GRANT|REVOKE)\b[^;]*\b(?:pg_\w+|information_schema)\b""",
    re.IGNORECASE | re.VERBOSE,
)


def reaches_beyond(statement: Statement) -> bool:
    """DROP OWNED and REASSIGN OWNED take other databases' privileges and owners along."""
    if _TAGS.match(statement.tag):
        return True
    if statement.tag not in _SAID_OF:
        return False
    found = _ON.search(set_aside(statement.text))
    # Without ON it is a role that is granted or taken away.
    if found is None:
        return statement.tag in ("GRANT", "REVOKE")
    return found[1].upper() in _WHOLE


def beside_the_schema(script: Script) -> Statement | None:
    """The first statement that seems to change what a fingerprint leaves out; strings and comments are read too."""
    statements = (one for step in script.steps for one in step.statements)
    return next((one for one in statements if _BESIDE.search(one.text)), None)


def keeps_a_secret(statement: Statement) -> bool:
    """Whether it seems to change or take away the options of a user mapping, which are read nowhere."""
    return _MAPPING.search(statement.text) is not None


def speaks_of_roles(block: Statement) -> bool:
    """Whether a DO block seems to make, change or grant a role; its strings and comments are read too."""
    return block.tag == "DO" and _ROLES.search(block.text) is not None
