"""The matrix as markup: each character becomes a cell from a constant table; only names are escaped, once each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from django.urls import reverse
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from dashboard.templatetags.glyphs import GLYPHS
from dashboard.templatetags.text import counted
from migrations_app.fleet.matrix import CELLS, Column, Row, Window

# character: colour and shape
LOOKS: dict[str, tuple[str, str]] = {
    "A": ("ok quiet", "ok"),
    "R": ("run", "running"),
    "W": ("warn", "clock"),
    "P": ("wait quiet", "pending"),
    "F": ("bad", "failed"),
    "D": ("bad", "drift"),
    "O": ("drift", "disorder"),
    "U": ("wait", "unknown"),
    ".": ("wait quiet", "empty"),
}
_SHAPES = {code: GLYPHS[shape] for code, (_, shape) in LOOKS.items()}
# Applied cells are by far the most and need nobody: a constant, no link.
_APPLIED = f'<span class="cell {LOOKS["A"][0]}">{_SHAPES["A"]}<span class="hush">applied</span></span></td>'
_OPENING = {code: f'<a class="cell {look}" href="' for code, (look, _) in LOOKS.items()}
_CLOSING = {code: f'">{shape}</a></td>' for code, shape in _SHAPES.items()}


def draw(window: Window, service: str, show_all_url: str) -> SafeString:
    """The whole table. Its cells were never in a template: a loop there costs twenty times as much."""
    return format_html(
        "<table><caption>Revisions by environment, newest first</caption>{}<tbody>{}{}</tbody>{}</table>",
        _head(window.columns),
        _body(window, service),
        _fold(window, show_all_url),
        _foot(window.columns),
    )


def _head(columns: Sequence[Column]) -> SafeString:
    stages = [(stage, len(list(group))) for stage, group in groupby(columns, key=lambda column: column.stage)]
    groups = format_html_join(
        "", '<th class="group" scope="colgroup" colspan="{}">{}</th>', ((n, s) for s, n in stages)
    )
    names = format_html_join(
        "",
        '<th scope="col"{}><span title="{}">{}</span></th>',
        (
            (
                mark_safe(' class="first"') if first else "",
                f"{column.name}, {column.region}" if column.region else column.name,
                column.name.removeprefix(f"{column.stage}-"),
            )
            for column, first in zip(columns, _firsts(columns), strict=True)
        ),
    )
    return format_html('<thead><tr><th rowspan="2" scope="col">Revision</th>{}</tr><tr>{}</tr></thead>', groups, names)


def _firsts(columns: Sequence[Column]) -> list[bool]:
    """Where a new stage begins; the very first column has the row heads' border already."""
    return [index > 0 and column.stage != columns[index - 1].stage for index, column in enumerate(columns)]


def _body(window: Window, service: str) -> SafeString:
    firsts = ['<td class="first">' if first else "<td>" for first in _firsts(window.columns)]
    pages = [str(conditional_escape(reverse("environment", args=[service, column.name]))) for column in window.columns]
    names = [str(conditional_escape(column.name)) for column in window.columns]
    rows = (_row(row, service, firsts, pages, names) for row in window.rows)
    return mark_safe("".join(rows))  # noqa: S308  every name in it was escaped above or in _row


def _row(row: Row, service: str, firsts: Sequence[str], pages: Sequence[str], names: Sequence[str]) -> str:
    revision = str(conditional_escape(row.revision_id))
    cells = [
        first + _APPLIED if code == "A" else f"{first}{_link(code, page, revision, name)}"
        for code, first, page, name in zip(row.cells, firsts, pages, names, strict=True)
    ]
    head = format_html(
        '<tr><th scope="row"><a href="{}"><code>{}</code></a><span class="tag">{}</span></th>',
        reverse("revision", args=[service, row.revision_id]),
        row.revision_id,
        row.phase,
    )
    return f"{head}{''.join(cells)}</tr>"


def _link(code: str, page: str, revision: str, name: str) -> str:
    target = f"{page}?to={revision}" if code == "P" else page
    words = f'aria-label="{name}, revision {revision}: {CELLS[code]}" title="{name}: {CELLS[code]}'
    return f'{_OPENING[code]}{target}" {words}{_CLOSING[code]}'


def _fold(window: Window, show_all_url: str) -> SafeString | str:
    if not window.folded or window.older:
        return ""
    return format_html(
        '<tr class="fold"><th scope="row">The same everywhere</th><td colspan="{}">{} applied in all {} · '
        '<a href="{}">show</a></td></tr>',
        len(window.columns),
        f"{counted(window.folded, 'revision').capitalize()}",
        f"{len(window.columns) + window.hidden_columns} environments",
        show_all_url,
    )


def _foot(columns: Sequence[Column]) -> SafeString:
    rows = (
        ("head", [column.head.partition("_")[0] or "none" for column in columns]),
        ("schema_rev", [column.schema_rev for column in columns]),
        ("behind", ["?" if column.lag is None else str(column.lag) for column in columns]),
    )
    firsts = _firsts(columns)
    drawn = [
        format_html(
            '<tr><th scope="row">{}</th>{}</tr>',
            title,
            format_html_join(
                "",
                "<td{}>{}</td>",
                ((mark_safe(' class="first"') if first else "", v) for v, first in zip(values, firsts, strict=True)),
            ),
        )
        for title, values in rows
        if any(values)
    ]
    return format_html("<tfoot>{}</tfoot>", mark_safe("".join(drawn)))  # noqa: S308  made of format_html


def headline(window: Window) -> str:
    environments = len(window.columns) + window.hidden_columns
    revisions = counted(window.total, "revision")
    if not window.total:
        return "This service has no revision yet."
    if not environments:
        return f"{revisions.capitalize()}, and no environment to apply {'it' if window.total == 1 else 'them'} to."
    if not window.differing:
        return f"All {counted(environments, 'environment')} stand the same: {revisions} applied."
    verb = "is" if window.differing == 1 else "are"
    return f"{counted(window.differing, 'revision').capitalize()} of {window.total} {verb} not the same everywhere."


def legend() -> list[tuple[str, SafeString, str]]:
    """Colour, shape and word of every cell there is."""
    return [(LOOKS[code][0].split()[0], _SHAPES[code], CELLS[code]) for code in "APRWFDOU"]
