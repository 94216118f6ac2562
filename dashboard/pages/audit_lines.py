"""Audit entries as markup: each with its hash and what changed, folded."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from dashboard.pages.audit_rows import AuditRow, Change
from dashboard.pages.cells import cell, head, when
from dashboard.templatetags import text
from dashboard.templatetags.look import draw_state
from dashboard.templatetags.states import state_of

_DENIED = draw_state(state_of("failed"), "denied")


def draw_entries(rows: Iterable[AuditRow]) -> SafeString:
    return mark_safe("".join(_row(row) for row in rows))  # noqa: S308  escaped below


def _row(row: AuditRow) -> str:
    hashes = f"{escape(row.hash)}, after {escape(row.prev_hash)}"
    cells = (
        head("#", f'<a href="#e{row.seq}">{row.seq}</a>', "num"),
        cell("At", when(row.at, absolute=True)),
        cell("Actor", f"<span>{escape(row.actor)}{_roles(row)}</span>"),
        cell("Action", _DENIED if row.denied else escape(row.action)),
        cell("Object", f"<code>{escape(row.object)}</code>", "break"),
        cell("Change", _changes(row), "small"),
        cell("Hash", f'<code title="{hashes}">{escape(row.hash[:12])}</code>'),
    )
    return f'<tr id="e{row.seq}">{"".join(cells)}</tr>'


def _roles(row: AuditRow) -> str:
    if not row.roles:
        return ""
    token = f", token {escape(row.via)}" if row.via else ""
    return f'<br><span class="small faint">{escape(row.roles)}{token}</span>'


def _changes(row: AuditRow) -> str:
    if not row.changes:
        return ""
    fields = text.counted(len(row.changes), "field")
    request = f'<p class="faint break">request {escape(row.request_id)}</p>' if row.request_id else ""
    listed = "".join(_change(change) for change in row.changes)
    return f'<details><summary class="nowrap">{fields}</summary><ul class="plain">{listed}</ul>{request}</details>'


def _change(change: Change) -> str:
    before = f' <del><span class="hush">before: </span>− {escape(change.before)}</del>' if change.before else ""
    after = f' <ins><span class="hush">after: </span>+ {escape(change.after)}</ins>' if change.after else ""
    return f'<li class="break"><span class="faint">{escape(change.name)}</span>{before}{after}</li>'
