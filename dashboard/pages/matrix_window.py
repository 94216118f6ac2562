"""One window of the matrix, from its address to its markup: the page draws it, and polling asks for it again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from django.utils.html import format_html
from django.utils.safestring import SafeString

from dashboard.access import Service
from dashboard.pages.matrix_address import (
    ALL,
    FRONTIER,
    Wanted,
    address_of,
    check_columns,
    folding,
    rows_of,
    unfolding,
)
from dashboard.pages.matrix_cells import Pencil, draw_rows
from dashboard.pages.matrix_frame import Heads, draw_foot, draw_head, draw_widths, short_name
from dashboard.pages.matrix_groups import Slot, moved, region_key, slots_of
from dashboard.pages.matrix_paths import paths_of
from dashboard.pages.matrix_words import everywhere
from dashboard.templatetags.glyphs import GLYPHS
from dashboard.templatetags.text import counted, revision_number
from migrations_app import __version__
from migrations_app.fleet.matrix import MAX_COLUMNS, Row, Survey, differences, names_at, read_rows, survey
from migrations_app.fleet.matrix_columns import Column
from migrations_app.fleet.places import Places

ROWS = 50
ROOMY = 14  # so many columns at most have room for their names


@dataclass(frozen=True)
class View:
    """What is wanted, and where everything stands; enough to say whether a drawn window is still true."""

    wanted: Wanted
    known: Survey
    slots: tuple[Slot, ...]  # those of this window
    all_slots: int
    now: datetime

    @cached_property
    def places(self) -> Places:
        return rows_of(self.wanted.mode, self.known)

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.known.columns[self.slots[0].start : self.slots[-1].stop] if self.slots else ()

    @property
    def dense(self) -> bool:
        return len(self.slots) > ROOMY

    @property
    def tall(self) -> bool:
        """Narrow columns with long names: the names stand upright."""
        return self.dense and any(len(short_name(slot.column, slot)) > 4 for slot in self.slots if slot.column)

    @property
    def version(self) -> str:
        """Changes with everything that the window shows, and with nothing else. Lags are told by the hour."""
        shown = (__version__, self.wanted, self.known.chain, self.known.columns, f"{self.now:%Y%m%d%H}")
        return hashlib.blake2b(repr(shown).encode(), digest_size=12).hexdigest()


def look(service: Service, wanted: Wanted, now: datetime) -> View:
    """Raises BadAddress for what is wanted of columns and places that do not exist."""
    known = survey(service, wanted.only)
    slots = slots_of(known.columns, wanted.folded)
    names = frozenset(column.name for column in known.columns)
    check_columns(wanted, known, names, len(slots))
    shown = slots[wanted.first : wanted.first + MAX_COLUMNS]
    return View(wanted, known, tuple(shown), len(slots), now)


@dataclass(frozen=True)
class Drawn:
    table: SafeString
    rows: tuple[Row, ...]
    differences: tuple[tuple[Row, str], ...]
    older_url: str
    newest_url: str
    more_columns_url: str
    fewer_columns_url: str


def draw(view: View) -> Drawn:
    wanted, known = view.wanted, view.known
    rows, older = read_rows(known, view.columns, view.places, wanted.before or None, ROWS)
    slots = [moved(slot, view.slots[0].start) for slot in view.slots]
    after = wanted.first + len(view.slots)
    return Drawn(
        table=_table(view, slots, rows, older),
        rows=rows,
        differences=differences(rows, view.columns),
        older_url=address_of(replace(wanted, before=older)) if older else "",
        newest_url=address_of(replace(wanted, before=0)) if wanted.before else "",
        more_columns_url=address_of(replace(wanted, first=after)) if after < view.all_slots else "",
        fewer_columns_url=address_of(replace(wanted, first=max(wanted.first - MAX_COLUMNS, 0))) if wanted.first else "",
    )


def _table(view: View, slots: Sequence[Slot], rows: Sequence[Row], older: int | None) -> SafeString:
    """Its cells were never in a template: a loop there costs twenty times as much."""
    heads = _heads(view, slots)
    pencil = Pencil(heads.paths, slots, heads.unfold, _reference(view))
    newer = view.places.newer_than(rows[0].position) if rows else 0
    above, below = _folds(view, older)
    top = heads.depth + bool(above)
    end = top + len(view.places) + bool(below)
    foot = draw_foot(heads, end + 1, view.now)
    return format_html(
        '<table role="grid" aria-rowcount="{}" aria-colcount="{}" data-cells="{}" data-environments="{}">'
        "<caption>Revisions by environment, newest first</caption>{}{}{}{}{}{}</table>",
        end + foot.count("<tr "),
        view.all_slots + 1,
        SafeString(heads.paths.cell_start),
        " ".join(slot.column.name if slot.column else "-" for slot in slots),
        draw_widths(slots),
        draw_head(heads),
        above,
        draw_rows(rows, pencil, top + newer + 1),
        below,
        foot,
    )


def _heads(view: View, slots: Sequence[Slot]) -> Heads:
    keys = {slot.stage for slot in slots} | {region_key(slot.stage, slot.region) for slot in slots if slot.region}
    folded = {slot.folded for slot in slots if slot.folded}
    return Heads(
        paths=paths_of(view.wanted.service),
        slots=slots,
        columns=view.columns,
        fold={key: folding(view.wanted, key) for key in keys - folded},
        unfold={key: unfolding(view.wanted, key) for key in folded},
        reference=view.wanted.compare,
    )


def _reference(view: View) -> int:
    names = [column.name for column in view.columns]
    return names.index(view.wanted.compare) if view.wanted.compare in names else -1


def _folds(view: View, older: int | None) -> tuple[SafeString | str, SafeString | str]:
    """What the frontier leaves out: a row above for what is pending everywhere, one below for what is applied."""
    if view.wanted.mode != FRONTIER:
        return "", ""
    above = view.known.pending if not view.wanted.before else Places()
    below = view.known.applied if older is None else Places()
    ends = {place: "" for left_out in (above, below) for stretch in left_out.stretches for place in stretch}
    names = names_at(view.known.service, ends) if ends else {}
    return _fold(view, above, names, "pending"), _fold(view, below, names, "applied")


def _fold(view: View, left_out: Places, names: dict[int, str], word: str) -> SafeString | str:
    if not left_out.stretches:
        return ""
    newest, oldest = left_out.stretches[0][1], left_out.stretches[-1][0]
    ends = dict.fromkeys(revision_number(names.get(place, "")) for place in (oldest, newest))
    return format_html(
        '<tbody><tr class="fold"><th scope="row">{}</th><td colspan="{}"><span>{} {} {} {} · <a href="{}">show</a>'
        "</span></td></tr></tbody>",
        "–".join(ends),
        len(view.slots),
        GLYPHS["ok" if word == "applied" else "pending"],
        counted(len(left_out), "revision").capitalize(),
        word,
        everywhere(view.known),
        address_of(replace(view.wanted, mode=ALL, before=newest)),
    )
