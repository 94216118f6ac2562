"""Rows of drills as markup; whatever people wrote is escaped here."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from dashboard.access import Drill
from dashboard.pages.cells import cell, head, when
from dashboard.templatetags import text
from dashboard.templatetags.look import draw_state
from dashboard.templatetags.states import state_of
from migrations_app.rehearsals.drills.scenarios import SCENARIOS


def state_name(drill: Drill) -> str:
    """What it is called in states.STATES: its result, or how it stands while it has none."""
    return drill.result or drill.status


def draw_drills(drills: Iterable[Drill]) -> SafeString:
    return mark_safe("".join(_row(drill) for drill in drills))  # noqa: S308  escaped below


def _row(drill: Drill) -> str:
    words = SCENARIOS[drill.scenario].word
    link = f'<a href="/rehearsals/drills/{drill.uid}">{escape(words)}</a>'
    reason = f'<span class="small faint">{escape(drill.trigger_reason)}</span>'
    cells = (
        f'<td class="pickbox">{_box(drill, words)}</td>',
        head("Drill", f"<span>{link} {reason}</span>", "break"),
        cell("State", draw_state(state_of(state_name(drill)))),
        cell("Environment", _place(drill), "break"),
        cell("Recovery", _recovery(drill), "num nowrap"),
        cell("By hand", str(getattr(drill, "stepped_in", "")), "num"),
        cell("Operator", escape(drill.operator.get_username()), "break"),
        cell("Held", when(drill.started_at or drill.created_at)),
    )
    problem = " data-problem" if drill.result == "failed" else ""
    return f"<tr{problem}>{''.join(cells)}</tr>"


def _box(drill: Drill, words: str) -> str:
    name = f"Pick {words}, {drill.environment.name}, {drill.created_at:%Y-%m-%d %H:%M} to compare"
    return (
        f'<label class="box"><input type="checkbox" name="pick" value="{drill.uid}" form="pick" data-pick>'
        f'<span class="hush">{escape(name)}</span></label>'
    )


def _place(drill: Drill) -> str:
    service, name = drill.environment.service.name, drill.environment.name
    url = f"/services/{quote(service, safe='')}/environments/{quote(name, safe='')}"
    return f'<span><a href="{url}">{escape(name)}</a> <span class="small faint">{escape(service)}</span></span>'


def _recovery(drill: Drill) -> str:
    if drill.recovery_ms is None:
        return '<span class="faint">none</span>'
    words = text.duration(drill.recovery_ms)
    if drill.recovery_ms <= drill.limit_s * 1000:
        return words
    return f'<span class="state warn" title="limit {text.duration(drill.limit_s * 1000)}">{words}, over</span>'
