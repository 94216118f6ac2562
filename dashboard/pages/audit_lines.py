"""Audit entries as markup: each with its hash and what changed, folded."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from dashboard.pages.audit_rows import AuditRow, Change
from dashboard.pages.cells import cell, head, when
from dashboard.templatetags import text
from dashboard.templatetags.look import draw_state
from dashboard.templatetags.states import state_of

_DENIED = draw_state(state_of("failed"), "denied")
_DIFFERS = draw_state(state_of("failed"), "differs")


def draw_entries(rows: Iterable[AuditRow]) -> SafeString:
    return mark_safe("".join(_row(row) for row in rows))  # noqa: S308  escaped below


def _row(row: AuditRow) -> str:
    cells = (
        head("#", f'<a href="#e{row.seq}">{row.seq}</a>', "num"),
        cell("At", when(row.at, absolute=True)),
        cell("Actor", f"<span>{escape(row.actor)}{_roles(row)}</span>"),
        cell("Action", _DENIED if row.denied else escape(row.action)),
        cell("Object", f"<code>{escape(row.object)}</code>", "break"),
        cell("Change", _unfolded(row), "small"),
        cell("Hash", f"<code>{escape(row.hash[:12])}</code>" if row.recomputed == row.hash else _DIFFERS),
    )
    return f'<tr id="e{row.seq}">{"".join(cells)}</tr>'


def _roles(row: AuditRow) -> str:
    if not row.roles:
        return ""
    token = f", token {escape(row.via)}" if row.via else ""
    return f'<br><span class="small faint">{escape(row.roles)}{token}</span>'


def _unfolded(row: AuditRow) -> str:
    """What changed, in which request, and what the hash is made of."""
    word = text.counted(len(row.changes), "field") if row.changes else "proof"
    listed = "".join(_change(change) for change in row.changes)
    changed = f'<ul class="plain">{listed}</ul>' if listed else ""
    return (
        f'<details><summary class="nowrap">{word}</summary>{changed}{_request(row.request_id)}{_proof(row)}</details>'
    )


def _request(request_id: str) -> str:
    if not request_id:
        return ""
    same = f"{reverse('audit')}?{urlencode({'request': request_id})}"
    return f'<p class="faint break">request <a href="{escape(same)}">{escape(request_id)}</a></p>'


def _proof(row: AuditRow) -> str:
    told = "the same" if row.recomputed == row.hash else f"<code>{row.recomputed}</code>, so it is not what was written"
    return (
        f'<p class="faint break proof">hash <code>{row.hash}</code><br>after <code>{row.prev_hash}</code><br>'
        f"recomputed {row.drawn_at:%H:%M:%S} UTC: {told}</p>"
    )


def _change(change: Change) -> str:
    before = f' <del><span class="hush">before: </span>− {escape(change.before)}</del>' if change.before else ""
    after = f' <ins><span class="hush">after: </span>+ {escape(change.after)}</ins>' if change.after else ""
    return f'<li class="break"><span class="faint">{escape(change.name)}</span>{before}{after}</li>'
