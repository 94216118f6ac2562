"""The matrix's rows as markup: each character becomes a cell from a table made once for its column.

No template and no escaping for each cell: names are escaped once each, everything else is constant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

from dashboard.pages.matrix_groups import Slot
from dashboard.pages.matrix_paths import Paths, in_path
from dashboard.templatetags.glyphs import GLYPHS
from migrations_app.fleet.matrix import CELLS, Row

# character: colour and shape
LOOKS: dict[str, tuple[str, str]] = {
    "A": ("ok", "ok"),
    "R": ("run", "running"),
    "B": ("run", "undo"),
    "W": ("warn", "clock"),
    "P": ("wait", "pending"),
    "F": ("bad", "failed"),
    "D": ("bad", "drift"),
    "O": ("drift", "disorder"),
    "U": ("wait", "unknown"),
    ".": ("wait", "empty"),
}
# What a folded group shows: the first of these that is among its cells.
WORST = "FDOBRWUP.A"
# In the place of a revision's id, in text and in an address, until the row is known; no name holds them.
_REVISION, _REVISION_IN_PATH = "\x00", "\x01"
SAME = "="
# The browser paints a group at a time: of one row each there would be many, and one of all is much for a small change.
ROWS_TOGETHER = 5


@dataclass(frozen=True)
class Pencil:
    """What every row needs to be drawn. `reference` is the index of the column compared with, -1 for none."""

    paths: Paths
    slots: Sequence[Slot]
    unfold: Mapping[str, str]  # folded group: the address that shows its columns
    reference: int = -1


def legend() -> list[tuple[str, SafeString, str]]:
    """Colour, shape and word of every cell there is."""
    return [(LOOKS[code][0], GLYPHS[LOOKS[code][1]], CELLS[code]) for code in "APRBWFDOU"]


def draw_rows(rows: Sequence[Row], pencil: Pencil, first_index: int) -> SafeString:
    """`first_index` is the first row's place among all rows of the grid."""
    tables = [_cells_of(slot, pencil, first) for slot, first in zip(pencil.slots, firsts(pencil.slots), strict=True)]
    drawn = [_row(row, index, pencil, tables) for index, row in enumerate(rows, start=first_index)]
    groups = (drawn[start : start + ROWS_TOGETHER] for start in range(0, len(drawn), ROWS_TOGETHER))
    return mark_safe("".join(f"<tbody>{''.join(group)}</tbody>" for group in groups))  # noqa: S308  escaped in _row and _cells_of


def firsts(slots: Sequence[Slot]) -> list[bool]:
    """Where a new stage begins; the very first column has the row heads' border already."""
    return [index > 0 and slot.stage != slots[index - 1].stage for index, slot in enumerate(slots)]


Cells = dict[str, str]


def _cells_of(slot: Slot, pencil: Pencil, first: bool) -> Cells:
    """Each character's markup in this column. Applied needs nobody: it is no link, and most cells are that."""
    if slot.column is None:
        return {}
    edge = " first" if first else ""
    name = escape(slot.column.name)
    link = pencil.paths.cell(_REVISION_IN_PATH, slot.column.name)
    made = {
        code: f'<td class="{code}{edge}"><a href="{link}" aria-label="{name}, revision {_REVISION}: {word}"></a></td>'
        for code, word in CELLS.items()
    }
    made["A"] = f'<td class="A{edge}">applied</td>'
    made[SAME] = f'<td class="same{edge}">the same</td>'
    return made


def _row(row: Row, index: int, pencil: Pencil, tables: Sequence[Cells]) -> str:
    shown = _compared(row.cells, pencil)
    cells = "".join(
        table[shown[slot.start]] if table else _rolled(row, slot, pencil)
        for slot, table in zip(pencil.slots, tables, strict=True)
    )
    revision, in_address = escape(row.revision_id), in_path(row.revision_id)
    return (
        f'<tr aria-rowindex="{index}"><th scope="row">'
        f'<a href="{pencil.paths.revision_start}{in_address}" title="{revision}"><code>{revision}</code></a>'
        f'<span class="tag">{escape(row.phase)}</span></th>'
        f"{cells.replace(_REVISION_IN_PATH, in_address).replace(_REVISION, revision)}</tr>"
    )


def _compared(cells: str, pencil: Pencil) -> str:
    """Compared with one column, only what differs from it keeps its character."""
    if pencil.reference < 0:
        return cells
    code = cells[pencil.reference]
    left = cells[: pencil.reference].replace(code, SAME)
    return f"{left}{code}{cells[pencil.reference + 1 :].replace(code, SAME)}"


def _rolled(row: Row, slot: Slot, pencil: Pencil) -> str:
    """A folded group in one cell: how many have it, and the state that matters most."""
    cells = row.cells[slot.start : slot.stop]
    worst = next(code for code in WORST if code in cells)
    told = ", ".join(f"{cells.count(code)} {CELLS[code]}" for code in reversed(WORST) if code in cells)
    return (
        f'<td class="roll {worst}"><a href="{escape(pencil.unfold[slot.folded])}" '
        f'aria-label="{escape(slot.folded)}, revision {_REVISION}: {told}">{cells.count("A")}/{slot.size}</a></td>'
    )
