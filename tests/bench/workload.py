"""The revisions that are applied: plain transactional statements, the same bytes for every contender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# One table's life; it repeats with the next table.
_LIFE = (
    "CREATE TABLE item_{k} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, price integer)",
    "INSERT INTO item_{k} (name, price) SELECT 'item ' || n, n FROM generate_series(1, 50) n",
    "ALTER TABLE item_{k} ADD COLUMN note text",
    "UPDATE item_{k} SET note = 'cheap' WHERE price < 20",
    "CREATE INDEX item_{k}_name ON item_{k} (name)",
    "ALTER TABLE item_{k} ADD COLUMN stock integer NOT NULL DEFAULT 0",
    "INSERT INTO item_{k} (name, price, stock) VALUES ('late', 1, 2), ('later', 3, 4)",
    "UPDATE item_{k} SET stock = stock + 1 WHERE id <= 25",
    "CREATE INDEX item_{k}_price ON item_{k} (price) WHERE stock > 0",
    "ALTER TABLE item_{k} ADD COLUMN changed_at timestamptz",
)
MIX = "CREATE TABLE 10 %, ALTER TABLE ADD COLUMN 30 %, INSERT 20 %, UPDATE 20 %, CREATE INDEX 20 %"


@dataclass(frozen=True)
class Change:
    revision_id: str
    sql: str  # ends with a semicolon and a line break


def changes(count: int) -> tuple[Change, ...]:
    made = []
    for number in range(count):
        statement = _LIFE[number % len(_LIFE)].format(k=number // len(_LIFE))
        made.append(Change(f"{number + 1:05}_change", f"{statement};\n"))
    return tuple(made)


def write_revisions(folder: Path, wanted: Sequence[Change]) -> Path:
    """A folder as Lockstep reads it."""
    folder.mkdir(parents=True)
    for change in wanted:
        (folder / f"{change.revision_id}.up.sql").write_text(change.sql)
    return folder
