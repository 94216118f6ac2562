"""Rows of the ledger as markup; whether a receipt still stands is told as far as the last comparison knows."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from dashboard.access import LedgerEntry
from dashboard.pages.cells import cell, checksum, head, when
from dashboard.templatetags import text
from dashboard.templatetags.look import draw_state
from dashboard.templatetags.states import state_of

_APPLIED, _ROLLED_BACK = draw_state(state_of("applied")), draw_state(state_of("rolled_back"))
_SUPERSEDED = draw_state(state_of("superseded"))
_UNREADABLE = draw_state(state_of("unknown"), "Receipt not readable")
_DISAGREES = draw_state(state_of("drift"), "Disagrees")
_STANDS = draw_state(state_of("ok"), "Receipt and ledger")
_NO_RUN = '<span class="faint" title="Not started from here">–</span>'


def draw_receipts(rows: Iterable[LedgerEntry], *, with_service: bool) -> SafeString:
    """`with_service` where neighbouring rows may belong to different services."""
    return mark_safe("".join(_row(row, with_service) for row in rows))  # noqa: S308  escaped below


def _row(row: LedgerEntry, with_service: bool) -> str:
    receipt = f'<a href="/history/{row.pk}" data-open="drawer"><code>{escape(row.revision_id)}</code></a>'
    cells = (
        head("Revision", f'<span>{receipt} <span class="tag">{escape(row.phase)}</span></span>'),
        cell("State", _state(row)),
        cell("Environment", _place(row, with_service), "break"),
        cell("Receipt", str(row.seq), "num"),
        cell("Applied", when(row.applied_at)),
        cell("Took", text.duration(row.duration_ms), "num nowrap"),
        cell("Operator", escape(row.operator)),
        cell("Run", f'<a href="/runs/{row.run_id}">{row.run_id}</a>' if row.run_id else _NO_RUN),
        cell("Checksum", checksum(row.checksum)),
        cell("Proof", draw_proof(row)),
    )
    return f"<tr>{''.join(cells)}</tr>"


def _state(row: LedgerEntry) -> str:
    if row.superseded_at:
        return str(escape(row.direction))
    return _APPLIED if row.direction == "up" else _ROLLED_BACK


def _place(row: LedgerEntry, with_service: bool) -> str:
    service, name = row.environment.service.name, row.environment.name
    url = f"/services/{quote(service, safe='')}/environments/{quote(name, safe='')}"
    whose = f' <span class="small faint">{escape(service)}</span>' if with_service else ""
    return f'<span><a href="{url}">{escape(name)}</a>{whose}</span>'


def draw_proof(row: LedgerEntry) -> SafeString:
    """Whether its receipt still stands in the target."""
    environment = row.environment
    if row.superseded_at:
        return mark_safe(f"<span>{_SUPERSEDED} {when(row.superseded_at)}</span>")  # noqa: S308
    if environment.reachability == "unreachable":
        return mark_safe(f"<span>{_UNREADABLE} {when(row.seen_at)}</span>")  # noqa: S308
    if environment.differs_from and row.seq >= environment.differs_from:
        return _DISAGREES
    return mark_safe(f'<span>{_STANDS} <span class="small faint">{when(row.seen_at)}</span></span>')  # noqa: S308
