"""Rows of a chain as markup: a hundred revisions on a page."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from dashboard.pages.cells import cell, checksum, head, when
from dashboard.templatetags.glyphs import GLYPHS
from dashboard.templatetags.look import draw_state
from dashboard.templatetags.states import state_of
from migrations_app.fleet.chain import Link

_EVERYWHERE = draw_state(state_of("applied"), "everywhere")
_NOWHERE = draw_state(state_of("pending"), "nowhere")
_NO_PLACE = '<span class="faint">no environment</span>'
_IRREVERSIBLE = ', <span class="dim">irreversible</span>'


def draw_revisions(rows: Iterable[Link], service: str, *, environments: int) -> SafeString:
    """`environments`: how many the service has, for how far each revision has come."""
    chain = f"/services/{quote(service, safe='')}/revisions/"
    return mark_safe("".join(_row(row, chain, environments) for row in rows))  # noqa: S308  escaped below


def _row(row: Link, chain: str, environments: int) -> str:
    scripts = f"up{', down' if row.reversible else _IRREVERSIBLE}{', verify' if row.verified else ''}"
    name = f'<a href="{chain}{quote(row.revision_id, safe="")}"><code>{escape(row.revision_id)}</code></a>'
    by = f'<span class="small faint">{escape(row.created_by)}</span>'
    cells = (
        cell("Place", str(row.position), "num fit faint"),
        head("Revision", name),
        cell("Phase", f'<span class="tag">{escape(row.phase)}</span>'),
        cell("schema_rev", escape(row.schema_rev), "break"),
        cell("Scripts", f"<span>{scripts}</span>", "small"),
        cell("Checksum", checksum(row.checksum)),
        cell("Applied", _applied(row.applied, environments)),
        cell("Uploaded", f"<span>{when(row.created_at)} {by}</span>"),
    )
    return f"<tr>{''.join(cells)}</tr>"


def _applied(applied: int, environments: int) -> str:
    if not environments:
        return _NO_PLACE
    if applied == environments:
        return _EVERYWHERE
    if not applied:
        return _NOWHERE
    return f'<span class="state wait">{GLYPHS["pending"]}{applied} of {environments}</span>'
