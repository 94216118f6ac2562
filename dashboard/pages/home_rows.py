"""Rows of environments, drawn without a loop in the template: sixty of them are the larger part of the page."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dashboard.templatetags import text
from dashboard.templatetags.look import draw_state, when
from dashboard.templatetags.states import state_of
from migrations_app.fleet.standing import Standing

_ROW = (
    '<tr><th scope="row" data-label="Environment"><span><a id="place-{}" href="{}">{}</a>{}</span></th>'
    '<td data-label="Head">{}</td><td class="num" data-label="Pending">{}</td>'
    '<td data-label="Last receipt">{}</td><td data-label="State"><span>{}{}</span></td></tr>'
)
_NO_HEAD = SafeString('<span class="faint">none</span>')
_ASTRAY = SafeString('<span class="faint" title="Its head is no revision of the chain">?</span>')
_NEVER = SafeString('<span class="faint">never</span>')


def draw_places(rows: Iterable[Standing], *, with_service: bool) -> SafeString:
    """`with_service` where neighbouring rows may belong to different services."""
    return SafeString("".join(_row(row, with_service) for row in rows))


def _row(row: Standing, with_service: bool) -> SafeString:
    return format_html(
        _ROW,
        row.id,
        reverse("environment", args=(row.service, row.environment)),
        row.environment,
        format_html(' <span class="small faint">{}</span>', row.service) if with_service else "",
        format_html('<code title="{}">{}</code>', row.head, text.revision_number(row.head)) if row.head else _NO_HEAD,
        _ASTRAY if row.behind is None else row.behind,
        _last_receipt(row),
        draw_state(state_of(row.state), row.words),
        _also(row),
    )


def _last_receipt(row: Standing) -> SafeString:
    if row.last_at is None:
        return _NEVER
    return format_html('<span>{} <span class="small dim">by {}</span></span>', when(row.last_at), row.last_by)


def _also(row: Standing) -> SafeString:
    """What is true beside the state that matters most."""
    drift = row.reconcile_note and row.state != "drift"
    drifted = row.schema_drift and row.state != "schema_drift"
    gone = row.reachability == "unreachable" and row.state != "unreachable"
    told = [
        *([draw_state(state_of("drift"), "Disagrees")] if drift else []),
        *([draw_state(state_of("schema_drift"))] if drifted else []),
        *([draw_state(state_of("unreachable"))] if gone else []),
    ]
    return SafeString("".join(f"<br>{state}" for state in told))
