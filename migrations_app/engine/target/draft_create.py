"""SQL that makes an object, from its definition; nothing where the definition says more than can be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from migrations_app.engine.target.draft_columns import add_column, column_clause
from migrations_app.engine.target.draft_guard import unless_there, unless_type
from migrations_app.engine.target.draft_text import last_part, lines_of, owner_of, said, todo
from migrations_app.engine.target.fingerprint import CatalogueObject

Key = tuple[str, str]
Side = Mapping[Key, CatalogueObject]

_NEXT = "\n"


@dataclass(frozen=True)
class Scene:
    """What there was and what there shall be, of the objects that differ."""

    before: Side
    after: Side
    kinds: Mapping[str, str]  # of what is no table, by name


def domain_or_table(owner: str, scene: Scene) -> str:
    return "DOMAIN" if scene.kinds.get(owner) == "domain" else "TABLE"


def _table(one: CatalogueObject, scene: Scene) -> str:
    """With its columns; what else its definition says, such as partitions, is for a person."""
    columns = [c for c in scene.after.values() if c.kind == "column" and owner_of(c.name) == one.name]
    clauses = [column_clause(column) for column in sorted(columns, key=lambda column: column.position)]
    if one.definition not in ("", "using: heap") or not all(clauses):
        shown = "".join(f"\n{last_part(c.name)} {c.definition}" for c in columns)
        return todo("make", one.kind, one.name, "", f"{one.definition}{shown}")
    body = ",\n  ".join(clauses)
    return f"CREATE TABLE IF NOT EXISTS {one.name} ({f'{_NEXT}  {body}{_NEXT}' if body else ''});"


def _composite(one: CatalogueObject, scene: Scene) -> str:
    columns = [c for c in scene.after.values() if c.kind == "column" and owner_of(c.name) == one.name]
    clauses = [column_clause(column) for column in sorted(columns, key=lambda column: column.position)]
    text = f"CREATE TYPE {one.name} AS ({', '.join(clauses)});"
    return unless_type(one.name, text) if all(clauses) else ""


def _enum(one: CatalogueObject, scene: Scene) -> str:
    return unless_type(one.name, f"CREATE TYPE {one.name} AS ENUM ({one.definition.replace(_NEXT, ', ')});")


def _sequence(one: CatalogueObject, scene: Scene) -> str:
    told = lines_of(one.definition, ("type", "start", "increment", "min", "max", "cache", "owned by"), ("cycle",))
    if told is None:
        return ""
    owner = told.get("owned by", "")
    after = f"\n-- Once its column is there: ALTER SEQUENCE {one.name} OWNED BY {said(owner)};" if owner else ""
    return (
        f"CREATE SEQUENCE IF NOT EXISTS {one.name} AS {told['type']} START {told['start']} "
        f"INCREMENT {told['increment']} MINVALUE {told['min']} MAXVALUE {told['max']} CACHE {told['cache']}"
        f"{' CYCLE' if 'cycle' in told else ''};{after}"
    )


def _index(one: CatalogueObject, scene: Scene) -> str:
    """One that is not valid, or is more than its definition, has further lines."""
    text = one.definition
    for words in ("CREATE UNIQUE INDEX ", "CREATE INDEX "):
        if text.startswith(words) and "\n" not in text:
            return f"{words}IF NOT EXISTS {text.removeprefix(words)};"
    return ""


def _policy(one: CatalogueObject, scene: Scene) -> str:
    told = lines_of(one.definition, ("for", "to", "using", "check"), ("permissive", "restrictive"))
    if told is None or "to" not in told:
        return ""
    kind = "RESTRICTIVE" if "restrictive" in told else "PERMISSIVE"
    text = f"CREATE POLICY {last_part(one.name)} ON {owner_of(one.name)} AS {kind} FOR {told['for']} TO {told['to']}"
    using, check = told.get("using", ""), told.get("check", "")
    text += f"{f' USING ({using})' if using else ''}{f' WITH CHECK ({check})' if check else ''};"
    return unless_there("policy", owner_of(one.name), last_part(one.name), text)


def _one_line(one: CatalogueObject) -> str:
    """A trigger, rule or statistics of which a further line tells needs a second statement: for a person."""
    return "" if "\n" in one.definition.rstrip("\n") else f"{one.definition.rstrip().rstrip(';')};"


def _trigger(one: CatalogueObject, scene: Scene) -> str:
    text = _one_line(one)
    return unless_there("trigger", owner_of(one.name), last_part(one.name), text) if text else ""


def _rule(one: CatalogueObject, scene: Scene) -> str:
    return _one_line(one).replace("CREATE RULE ", "CREATE OR REPLACE RULE ", 1)


def _statistics(one: CatalogueObject, scene: Scene) -> str:
    return _one_line(one).replace("CREATE STATISTICS ", "CREATE STATISTICS IF NOT EXISTS ", 1)


def _view(one: CatalogueObject, scene: Scene) -> str:
    text = one.definition.strip()
    return f"CREATE OR REPLACE VIEW {one.name} AS\n{text}" if text[:6].upper() in ("SELECT", "WITH R") else ""


def _materialized(one: CatalogueObject, scene: Scene) -> str:
    text = one.definition.removeprefix("using: heap\n").strip()
    return f"CREATE MATERIALIZED VIEW IF NOT EXISTS {one.name} AS\n{text}" if text.startswith("SELECT") else ""


def _constraint(one: CatalogueObject, scene: Scene) -> str:
    owner, name = owner_of(one.name), last_part(one.name)
    what = domain_or_table(owner, scene)
    text = f"ALTER {what} {owner} ADD CONSTRAINT {name} {one.definition};"
    return unless_there("constraint", owner, name, text, domain=what == "DOMAIN")


def _ended(one: CatalogueObject, scene: Scene) -> str:
    """Printed by the server as the statement that makes it."""
    return f"{one.definition.rstrip().rstrip(';')};"


CREATE: dict[str, Callable[[CatalogueObject, Scene], str]] = {
    "schema": lambda one, scene: f"CREATE SCHEMA IF NOT EXISTS {one.name};",
    "extension": lambda one, scene: f"CREATE EXTENSION IF NOT EXISTS {one.name};",
    "enum": _enum,
    "composite type": _composite,
    "sequence": _sequence,
    "table": _table,
    "column": lambda one, scene: add_column(one),
    "constraint": _constraint,
    "index": _index,
    "function": _ended,
    "procedure": _ended,
    "statistics": _statistics,
    "view": _view,
    "materialized view": _materialized,
    "trigger": _trigger,
    "policy": _policy,
    "rule": _rule,
}
