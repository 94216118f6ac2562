"""The matrix as markup: each character becomes a cell from a constant table; only names are escaped, once each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from django.urls import reverse
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from dashboard.templatetags.glyphs import GLYPHS, PATHS
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
# Applied cells are by far the most and need nobody: no link, and the check mark comes from the style sheet.
_APPLIED = {False: '<td class="a"><i>applied</i></td>', True: '<td class="a first"><i>applied</i></td>'}
_OPENING = {
    (code, first): f'<td{" class=first" if first else ""}><a class="cell {look}" href="'
    for code, (look, _) in LOOKS.items()
    for first in (False, True)
}
_CLOSING = {code: f'"><svg><use href="#cell-{code}"/></svg></a></td>' for code in LOOKS}
# Each shape once in the page; the cells only refer to it.
_SYMBOLS = mark_safe(  # noqa: S308  constants only
    "<svg hidden>"
    + "".join(
        f'<symbol id="cell-{code}" viewBox="0 0 16 16">{PATHS[shape]}</symbol>' for code, (_, shape) in LOOKS.items()
    )
    + "</svg>"
)


def draw(window: Window, service: str, show_all_url: str) -> SafeString:
    """The whole table. Its cells were never in a template: a loop there costs twenty times as much."""
    return format_html(
        "{}<table><caption>Revisions by environment, newest first</caption>{}<tbody>{}{}</tbody>{}</table>",
        _SYMBOLS,
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
    firsts = _firsts(window.columns)
    pages = [str(conditional_escape(reverse("environment", args=[service, column.name]))) for column in window.columns]
    names = [str(conditional_escape(column.name)) for column in window.columns]
    rows = (_row(row, service, firsts, pages, names) for row in window.rows)
    return mark_safe("".join(rows))  # noqa: S308  every name in it was escaped above or in _row


def _row(row: Row, service: str, firsts: Sequence[bool], pages: Sequence[str], names: Sequence[str]) -> str:
    revision = str(conditional_escape(row.revision_id))
    cells = [
        _APPLIED[first] if code == "A" else _link(code, first, page, revision, name)
        for code, first, page, name in zip(row.cells, firsts, pages, names, strict=True)
    ]
    head = format_html(
        '<tr><th scope="row"><a href="{}"><code>{}</code></a><span class="tag">{}</span></th>',
        reverse("revision", args=[service, row.revision_id]),
        row.revision_id,
        row.phase,
    )
    return f"{head}{''.join(cells)}</tr>"


def _link(code: str, first: bool, page: str, revision: str, name: str) -> str:
    """Its title is its name for everyone: where, what and how it stands."""
    target = f"{page}?to={revision}" if code == "P" else page
    return f'{_OPENING[code, first]}{target}" title="{name}, revision {revision}: {CELLS[code]}{_CLOSING[code]}'


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
