"""Columns in drafted SQL: what the catalogue's lines say, as clauses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrations_app.engine.target.draft_text import last_part, lines_of, owner_of, todo
from migrations_app.engine.target.fingerprint import CatalogueObject

_KEYS = ("type", "collation", "identity", "generated", "default")
_FLAGS = ("not null",)


@dataclass(frozen=True)
class Column:
    type: str
    collation: str
    not_null: bool
    identity: str
    generated: str
    default: str

    @property
    def clause(self) -> str:
        """All of it behind the column's name."""
        words = [self.type]
        words += [f"COLLATE {self.collation}"] if self.collation else []
        if self.generated:
            words.append(f"GENERATED ALWAYS AS ({self.default}) {self.generated.upper()}")
        elif self.default:
            words.append(f"DEFAULT {self.default}")
        words += [f"GENERATED {self.identity.upper()} AS IDENTITY"] if self.identity else []
        words += ["NOT NULL"] if self.not_null else []
        return " ".join(words)


def read_column(definition: str) -> Column | None:
    """None where a line says something else, such as storage or a default of several lines."""
    told = lines_of(definition, _KEYS, _FLAGS)
    if told is None or "type" not in told:
        return None
    return Column(
        type=told["type"],
        collation=told.get("collation", ""),
        not_null="not null" in told,
        identity=told.get("identity", ""),
        generated=told.get("generated", ""),
        default=told.get("default", ""),
    )


def column_clause(one: CatalogueObject) -> str:
    """`note text DEFAULT ''` for a CREATE TABLE; empty when it cannot be told."""
    column = read_column(one.definition)
    return f"{last_part(one.name)} {column.clause}" if column is not None else ""


def add_column(one: CatalogueObject) -> str:
    clause = column_clause(one)
    return f"ALTER TABLE {owner_of(one.name)} ADD COLUMN IF NOT EXISTS {clause};" if clause else ""


def alter_column(old: CatalogueObject, new: CatalogueObject) -> Iterator[str]:
    before, after = read_column(old.definition), read_column(new.definition)
    if old.definition == new.definition:
        return  # its place among the others, which nothing but making the table anew changes
    if before is None or after is None or _fixed(before) != _fixed(after):
        yield todo("change", "column", new.name, old.definition, new.definition)
        return
    start = f"ALTER TABLE {owner_of(new.name)} ALTER COLUMN {last_part(new.name)}"
    if before.type != after.type:
        yield f"{start} TYPE {after.type} USING {last_part(new.name)}::{after.type};"
    if before.default != after.default:
        yield f"{start} SET DEFAULT {after.default};" if after.default else f"{start} DROP DEFAULT;"
    if before.not_null != after.not_null:
        yield f"{start} {'SET' if after.not_null else 'DROP'} NOT NULL;"


def _fixed(column: Column) -> tuple[str, ...]:
    """What takes more than one plain statement to change."""
    return column.collation, column.identity, column.generated
