"""What surrounds the matrix's rows: groups and names above, folded revisions between, figures of each column below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import groupby

from django.utils.safestring import SafeString, mark_safe

from dashboard.pages.matrix_cells import firsts
from dashboard.pages.matrix_groups import Slot, region_key
from dashboard.pages.matrix_paths import Paths
from dashboard.templatetags.glyphs import GLYPHS
from dashboard.templatetags.text import revision_number
from migrations_app.fleet.matrix_columns import Column

_FIRST = ' class="first"'


@dataclass(frozen=True)
class Heads:
    """`fold` and `unfold` give the address that folds or shows a group, by its key."""

    paths: Paths
    slots: Sequence[Slot]
    columns: Sequence[Column]
    fold: Mapping[str, str]
    unfold: Mapping[str, str]
    reference: str = ""

    @property
    def depth(self) -> int:
        return 3 if any(slot.region for slot in self.slots) else 2


def draw_widths(slots: Sequence[Slot]) -> SafeString:
    """With widths known beforehand the browser lays out thousands of cells without measuring them."""
    columns = "".join("<col>" if slot.column else '<col class="roll">' for slot in slots)
    return mark_safe(f'<colgroup><col class="heads">{columns}</colgroup>')  # noqa: S308  constants only


def draw_head(heads: Heads) -> SafeString:
    """Stages, then regions where any region holds several environments, then names."""
    lines = [_stages(heads), *([_regions(heads)] if heads.depth == 3 else []), _names(heads)]
    lines[0] = f'<th rowspan="{heads.depth}" scope="col" class="corner">Revision</th>{lines[0]}'
    drawn = (f'<tr aria-rowindex="{index}">{line}</tr>' for index, line in enumerate(lines, start=1))
    return mark_safe(f"<thead>{''.join(drawn)}</thead>")  # noqa: S308  every name in it was escaped


def _stages(heads: Heads) -> str:
    drawn = []
    for stage, found in groupby(heads.slots, key=lambda slot: slot.stage):
        slots = list(found)
        if slots[0].folded == stage:
            drawn.append(_folded_head(heads, slots[0], heads.depth))
            continue
        down = heads.depth - 1 if not slots[0].region else 1
        drawn.append(_group_head(stage, stage, heads.fold, slots, down))
    return "".join(drawn)


def _regions(heads: Heads) -> str:
    drawn = []
    for (stage, region), found in groupby(heads.slots, key=lambda slot: (slot.stage, slot.region)):
        slots = list(found)
        key = region_key(stage, region)
        if not region or slots[0].folded == stage:
            continue
        if slots[0].folded:
            drawn.append(_folded_head(heads, slots[0], 2))
        else:
            drawn.append(_group_head(region, key, heads.fold if len(slots) > 1 else {}, slots, 1))
    return "".join(drawn)


def _group_head(word: str, key: str, fold: Mapping[str, str], slots: Sequence[Slot], down: int) -> str:
    name = f"<span>{escape(word)}</span>"
    if key in fold:
        name = (
            f'<a href="{escape(fold[key])}" aria-expanded="true" title="Fold {escape(key)}">{GLYPHS["down"]}{name} '
            f'<span class="n">{sum(slot.size for slot in slots)}</span></a>'
        )
    return f'<th class="group" scope="colgroup" colspan="{len(slots)}" rowspan="{down}">{name}</th>'


def _folded_head(heads: Heads, slot: Slot, down: int) -> str:
    word = escape(slot.folded.rpartition("/")[2])
    return (
        f'<th class="group folded" scope="col" rowspan="{down}"><a href="{escape(heads.unfold[slot.folded])}" '
        f'aria-expanded="false" title="Show the {slot.size} environments of {escape(slot.folded)}">{GLYPHS["down"]}'
        f'<span>{word}</span> <span class="n">{slot.size}</span></a></th>'
    )


def _names(heads: Heads) -> str:
    edges = firsts(heads.slots)
    return "".join(
        _name(heads, slot, slot.column, edge)
        for slot, edge in zip(heads.slots, edges, strict=True)
        if slot.column is not None
    )


def _name(heads: Heads, slot: Slot, column: Column, edge: bool) -> str:
    classes = f"env{' first' if edge else ''}{' ref' if column.name == heads.reference else ''}"
    doubt = _doubt(column)
    title = escape(", ".join(filter(None, (column.name, column.region, doubt))))
    return (
        f'<th scope="col" class="{classes}" data-env="{escape(column.name)}"><a href="'
        f'{heads.paths.environment(column.name)}" title="{title}"><span>{escape(short_name(column, slot))}</span>'
        f"{_sign(column, doubt) if doubt else ''}</a></th>"
    )


def short_name(column: Column, slot: Slot) -> str:
    """Without what the groups above it say already."""
    name = column.name.removeprefix(f"{column.stage}-")
    return (name.removeprefix(f"{slot.region}-") if slot.region else name) or column.name


def _doubt(column: Column) -> str:
    if column.note:
        return "ledger and target disagree"
    return "" if column.reachable else "cannot be reached"


def _sign(column: Column, doubt: str) -> str:
    """What the receipts say may be old, or contradicted: never drawn as fine."""
    tone, shape = ("drift", "drift") if column.note else ("warn", "unknown")
    return f'<span class="doubt {tone}">{GLYPHS[shape]}<span class="hush">{doubt}</span></span>'


Figure = Callable[[Column], str]


def draw_foot(heads: Heads, first_index: int, now: datetime) -> SafeString:
    rows: tuple[tuple[str, Figure, bool], ...] = (
        ("head", lambda column: revision_number(column.head) or "none", True),
        ("schema_rev", lambda column: column.schema_rev, True),
        ("behind", lambda column: "?" if column.lag is None else str(column.lag), False),
        ("behind for", lambda column: _days(column, now), False),
    )
    figures = ((title, [figure(column) for column in heads.columns], marked) for title, figure, marked in rows)
    drawn = [(title, values, marked) for title, values, marked in figures if any(values)]
    lines = (
        f'<tr aria-rowindex="{first_index + index}" class="{title.split()[0]}"><th scope="row">{title}</th>'
        f"{''.join(_figures(heads, values, marked))}</tr>"
        for index, (title, values, marked) in enumerate(drawn)
    )
    return mark_safe(f"<tfoot>{''.join(lines)}</tfoot>")  # noqa: S308  escaped in _figures


def _figures(heads: Heads, values: Sequence[str], marked: bool) -> Iterator[str]:
    """Where most columns agree, those that do not are marked."""
    usual = Counter(values).most_common(1)[0][0]
    for slot, edge in zip(heads.slots, firsts(heads.slots), strict=True):
        here = list(dict.fromkeys(values[slot.start : slot.stop]))
        word = escape(here[0] if len(here) == 1 else _range(here))
        unequal = _UNEQUAL if marked and here != [usual] else ""
        yield f'<td{_FIRST if edge else ""}><span title="{word}">{word}</span>{unequal}</td>'


_UNEQUAL = f'<span class="doubt drift">{GLYPHS["drift"]}<span class="hush">unlike most</span></span>'


def _range(values: Sequence[str]) -> str:
    numbers = sorted(int(value) for value in values if value.isdigit())
    return f"{numbers[0]}–{numbers[-1]}" if len(numbers) == len(values) else f"{len(values)} kinds"


def _days(column: Column, now: datetime) -> str:
    """How long ago the first revision it lacks was uploaded."""
    if column.behind_since is None:
        return ""
    hours = int((now - column.behind_since).total_seconds() // 3600)
    if hours < 1:
        return "< 1 h"
    return f"{hours // 24} d" if hours >= 24 else f"{hours} h"
