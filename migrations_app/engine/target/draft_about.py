"""Owners, privileges and comments in drafted SQL: what is said about an object, whose name follows its kind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrations_app.engine.target.draft_text import last_part, literal, owner_of

ABOUT = frozenset({"owner", "privileges", "comment", "security label", "depends on extension"})
# As GRANT, ALTER … OWNER and COMMENT call them, where that is not the kind itself.
_CALLED = {"enum": "TYPE", "range": "TYPE", "composite type": "TYPE"}
_GRANTED = {"view": "TABLE", "materialized view": "TABLE", "foreign table": "TABLE", **_CALLED, "domain": "TYPE"}
_KINDS = (
    "schema", "table", "view", "materialized view", "foreign table", "sequence", "function", "procedure", "aggregate",
    "enum", "domain", "range", "composite type", "statistics", "column", "index", "constraint", "trigger", "policy",
    "rule", "extension", "event trigger",
)  # fmt: skip
_OWNED = frozenset(_KINDS[:14]) | {"event trigger"}
_GRANTABLE = frozenset(_KINDS[:13])
_ON_A_TABLE = frozenset({"constraint", "trigger", "policy", "rule"})
_LINE = re.compile(r'("(?:[^"]|"")*"|[^":]+): (.+)')

Right = tuple[str, str, bool]  # role, privilege, whether it is taken from what everybody has by default


def subject(name: str) -> tuple[str, str] | None:
    """`("table", "public.a")` of `table public.a`; the longest kind that fits."""
    for kind in sorted(_KINDS, key=len, reverse=True):
        if name.startswith(f"{kind} "):
            return kind, name.removeprefix(f"{kind} ")
    return None


def say(about: str, name: str, before: str, after: str) -> str:
    """Statements that make of `before` what is said `after`; empty where it cannot be told."""
    found = subject(name)
    if found is None:
        return ""
    kind, whole = found
    if about == "owner" and kind in _OWNED and after:
        return f"ALTER {_called(kind)} {whole} OWNER TO {_role(after)};"
    if about == "comment":
        return f"COMMENT ON {_commented(kind, whole)} IS {literal(after) if after else 'NULL'};"
    if about == "privileges" and kind in _GRANTABLE:
        return "\n".join(_rights(kind, whole, before, after))
    return ""


def _called(kind: str) -> str:
    return _CALLED.get(kind, kind.upper())


def _commented(kind: str, whole: str) -> str:
    if kind in _ON_A_TABLE:
        return f"{kind.upper()} {last_part(whole)} ON {owner_of(whole)}"
    return f"{_called(kind)} {whole}"


def _rights(kind: str, whole: str, before: str, after: str) -> Iterator[str]:
    """Nothing when any line is not understood: half of the rights would be a trap."""
    old, new = _read(before), _read(after)
    if old is None or new is None:
        return
    where = f"{_GRANTED.get(kind, kind.upper())} {whole}"
    for role, privilege, taken in sorted(old - new):
        yield _grant(role, privilege, where) if taken else _revoke(role, privilege, where)
    for role, privilege, taken in sorted(new - old):
        yield _revoke(role, privilege, where) if taken else _grant(role, privilege, where)


def _grant(role: str, privilege: str, where: str) -> str:
    return f"GRANT {privilege} ON {where} TO {role};"


def _revoke(role: str, privilege: str, where: str) -> str:
    return f"REVOKE {privilege} ON {where} FROM {role};"


def _read(text: str) -> set[Right] | None:
    """None where the owner's own rights or the right to grant on are told, which take a person."""
    rights: set[Right] = set()
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        if found is None or found[1] == "owner" or "(grantable)" in found[2]:
            return None
        for told in found[2].split(", "):
            rights.add((found[1], told.removeprefix("not "), told.startswith("not ")))
    return rights


def _role(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
