"""SQL that would turn one schema into another, drafted for a person to finish: what cannot be told stands as a TODO.

What makes each kind of object stands in draft_create.py; what a table or a constraint brings along is left out.
Nothing here is ever run by Lockstep itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from migrations_app.engine.target.draft_about import ABOUT, say, subject
from migrations_app.engine.target.draft_columns import alter_column
from migrations_app.engine.target.draft_create import CREATE, Scene, Side, domain_or_table
from migrations_app.engine.target.draft_text import last_part, owner_of, todo
from migrations_app.engine.target.fingerprint import CatalogueObject

# Made in this order, taken away in the other.
ORDER = (
    "schema", "extension", "enum", "domain", "range", "composite type", "sequence", "table", "foreign table", "column",
    "function", "procedure", "aggregate", "constraint", "index", "statistics", "view", "materialized view", "rule",
    "trigger", "policy", "event trigger", "owner", "privileges", "comment",
)  # fmt: skip
HEADING = """-- A draft, made from what was read: finish and test it before you upload it.
-- It fails on nothing where the change is there already, so that it can be applied everywhere: keep it so.
"""
_BELONGS = ("column", "constraint", "index", "trigger", "policy", "rule")
_WITH_COLUMNS = ("table", "foreign table", "composite type")


@dataclass(frozen=True)
class Draft:
    """`todos` counts what a person has to write."""

    up: str
    down: str
    todos: int


def draft(
    before: Sequence[CatalogueObject], after: Sequence[CatalogueObject], *, kinds: Mapping[str, str] | None = None
) -> Draft:
    """Both ways, from the objects that differ. `kinds` tells of what is no table although it has columns or checks."""
    old, new = ({(one.kind, one.name): one for one in side} for side in (before, after))
    up, down = list(_statements(Scene(old, new, kinds or {}))), list(_statements(Scene(new, old, kinds or {})))
    todos = sum(text.startswith("-- TODO") for text in up)
    return Draft(_script(up), _script(down), todos)


def _script(statements: Sequence[str]) -> str:
    return HEADING + "".join(f"\n{text}\n" for text in statements)


def _statements(scene: Scene) -> Iterator[str]:
    """What goes, then what comes or changes."""
    gone = [one for key, one in scene.before.items() if key not in scene.after]
    for one in sorted(gone, key=lambda one: (-_rank(one), one.name)):
        if not _comes_along(one, scene, scene.before):
            yield _drop(one, scene)
    came = [one for key, one in scene.after.items() if scene.before.get(key) != one]
    for one in sorted(came, key=lambda one: (_rank(one), _late(one), one.position, one.name)):
        old = scene.before.get((one.kind, one.name))
        if old is not None:
            yield from _change(old, one, scene)
        elif not _comes_along(one, scene, scene.after):
            yield _create(one, scene)


def _rank(one: CatalogueObject) -> int:
    return ORDER.index(one.kind) if one.kind in ORDER else len(ORDER)


def _late(one: CatalogueObject) -> bool:
    """A foreign key after the key that it leads to."""
    return one.kind == "constraint" and one.definition.startswith("FOREIGN KEY")


def _comes_along(one: CatalogueObject, scene: Scene, side: Side) -> bool:
    """Whether it is made or taken away together with something else that is."""
    other = scene.after if side is scene.before else scene.before
    going = side is scene.before
    if one.kind == "index":
        return _of_constraint(one, side, other, going=going)
    if one.kind == "sequence" and "owned by: " in one.definition:
        column = side.get(("column", one.definition.rpartition("owned by: ")[2]))
        return column is not None and ("\nidentity: " in column.definition or side is scene.before)
    if one.kind in ABOUT:
        found = subject(one.name)
        return found is not None and found in side and found not in other and (one.kind == "owner" or going)
    if one.kind not in _BELONGS:
        return False
    if _of_view(one, scene):
        return True
    owner = owner_of(one.name)
    made = any((kind, owner) in side and (kind, owner) not in other for kind in _WITH_COLUMNS)
    return made and (one.kind == "column" or side is scene.before)


def _of_view(one: CatalogueObject, scene: Scene) -> bool:
    """A column of a view that differs itself: its definition tells of it."""
    owner = owner_of(one.name)
    views = (("view", owner), ("materialized view", owner))
    return one.kind == "column" and any(view in scene.before or view in scene.after for view in views)


def _of_constraint(one: CatalogueObject, side: Side, other: Side, *, going: bool) -> bool:
    """Whether a constraint has it, or it goes with its table."""
    name, schema = last_part(one.name), owner_of(one.name)
    for (kind, constraint), found in side.items():
        if kind != "constraint" or last_part(constraint) != name or (kind, constraint) in other:
            continue
        if found.definition.startswith(("PRIMARY KEY", "UNIQUE", "EXCLUDE")):
            return owner_of(owner_of(constraint)) == schema
    table = one.definition.partition(" ON ")[2].removeprefix("ONLY ").partition(" USING ")[0]
    return going and ("table", table) in side and ("table", table) not in other


def _create(one: CatalogueObject, scene: Scene) -> str:
    if one.kind in ABOUT:
        return say(one.kind, one.name, "", one.definition) or todo("say", one.kind, one.name, "", one.definition)
    make = None if _elsewhere(one, scene) else CREATE.get(one.kind)
    text = make(one, scene) if make else ""
    return text or todo("make", one.kind, one.name, "", one.definition)


def _drop(one: CatalogueObject, scene: Scene) -> str:
    owner, name = owner_of(one.name), last_part(one.name)
    if one.kind in ABOUT:
        return say(one.kind, one.name, one.definition, "") or todo("unsay", one.kind, one.name, one.definition, "")
    if one.kind in _DROP and not _elsewhere(one, scene):
        return _DROP[one.kind].format(owner=owner, name=name, whole=one.name, table=domain_or_table(owner, scene))
    return todo("take away", one.kind, one.name, one.definition, "")


def _change(old: CatalogueObject, new: CatalogueObject, scene: Scene) -> Iterator[str]:
    if new.kind in ABOUT and (text := say(new.kind, new.name, old.definition, new.definition)):
        yield text
    elif _of_view(new, scene):
        return
    elif new.kind == "column" and not _elsewhere(new, scene):
        yield from alter_column(old, new)
    elif new.kind in _REPLACED:
        yield _create(new, scene)
    elif new.kind in _ANEW and new.kind in _DROP:
        yield _drop(old, scene)
        yield _create(new, scene)
    elif new.kind == "enum" and (added := _enum_values(old, new)):
        yield added
    else:
        yield todo("change", new.kind, new.name, old.definition, new.definition)


_REPLACED = frozenset({"function", "procedure", "view"})
_ANEW = frozenset({"constraint", "index", "trigger", "policy", "statistics", "materialized view", "rule"})
_DROP: dict[str, str] = {
    "schema": "DROP SCHEMA IF EXISTS {whole};",
    "extension": "DROP EXTENSION IF EXISTS {whole};",
    "enum": "DROP TYPE IF EXISTS {whole};",
    "range": "DROP TYPE IF EXISTS {whole};",
    "composite type": "DROP TYPE IF EXISTS {whole};",
    "domain": "DROP DOMAIN IF EXISTS {whole};",
    "sequence": "DROP SEQUENCE IF EXISTS {whole};",
    "table": "DROP TABLE IF EXISTS {whole};",
    "foreign table": "DROP FOREIGN TABLE IF EXISTS {whole};",
    "column": "ALTER TABLE {owner} DROP COLUMN IF EXISTS {name};",
    "function": "DROP FUNCTION IF EXISTS {whole};",
    "procedure": "DROP PROCEDURE IF EXISTS {whole};",
    "constraint": "ALTER {table} {owner} DROP CONSTRAINT IF EXISTS {name};",
    "index": "DROP INDEX IF EXISTS {whole};",
    "statistics": "DROP STATISTICS IF EXISTS {whole};",
    "view": "DROP VIEW IF EXISTS {whole};",
    "materialized view": "DROP MATERIALIZED VIEW IF EXISTS {whole};",
    "rule": "DROP RULE IF EXISTS {name} ON {owner};",
    "trigger": "DROP TRIGGER IF EXISTS {name} ON {owner};",
    "policy": "DROP POLICY IF EXISTS {name} ON {owner};",
    "event trigger": "DROP EVENT TRIGGER IF EXISTS {whole};",
}


def _elsewhere(one: CatalogueObject, scene: Scene) -> bool:
    """A column of something that ALTER TABLE does not change."""
    return one.kind == "column" and scene.kinds.get(owner_of(one.name), "table") != "table"


def _enum_values(old: CatalogueObject, new: CatalogueObject) -> str:
    """Values that were only added at the end; in between or taken away is for a person."""
    before, after = old.definition.split("\n"), new.definition.split("\n")
    if after[: len(before)] != before:
        return ""
    return "\n".join(f"ALTER TYPE {new.name} ADD VALUE IF NOT EXISTS {value};" for value in after[len(before) :])
