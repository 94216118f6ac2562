"""What SQL makes without IF NOT EXISTS, guarded by a look first: a database that has it already is left alone."""

from __future__ import annotations

from migrations_app.engine.target.draft_text import literal

# Of what belongs to a table: the catalogue, its column for the table and its column for the name.
_ON_A_TABLE = {
    "constraint": ("pg_constraint", "conrelid", "conname"),
    "trigger": ("pg_trigger", "tgrelid", "tgname"),
    "policy": ("pg_policy", "polrelid", "polname"),
}


def unless_there(kind: str, owner: str, name: str, statement: str, *, domain: bool = False) -> str:
    """For a constraint, trigger or policy; names as the server quotes them."""
    catalogue, table, column = _ON_A_TABLE[kind]
    whose = f"contypid = {literal(owner)}::regtype" if domain else f"{table} = {literal(owner)}::regclass"
    return _block(
        f"NOT EXISTS (SELECT FROM {catalogue} WHERE {whose} AND {column} = {literal(_bare(name))})", statement
    )


def unless_type(name: str, statement: str) -> str:
    return _block(f"to_regtype({literal(name)}) IS NULL", statement)


def _block(unless: str, statement: str) -> str:
    mark = "$do$"
    while mark in statement or mark in unless:
        mark = f"{mark[:-1]}x$"
    body = "\n".join(f"    {line}" for line in statement.splitlines())
    return f"DO {mark} BEGIN\n  IF {unless} THEN\n{body}\n  END IF;\nEND {mark};"


def _bare(name: str) -> str:
    """`a"b` of `"a""b"`."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
