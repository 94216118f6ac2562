"""The rehearsals on clones, newest first: part of the page of all rehearsals, and a page of its own."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.cursors import write
from dashboard.pages.cells import cell, head, when, wraps
from dashboard.pages.query import InForce, address, numbered_place, word
from dashboard.templatetags import text
from dashboard.templatetags.look import draw_state
from dashboard.templatetags.states import state_of
from migrations_app.fleet.chain import environment_names, service_names
from migrations_app.rehearsals.listing import RehearsalFilter, list_rehearsals
from migrations_app.rehearsals.words import WORST_FIRST, short_sentence
from migrations_app.statuses import REHEARSAL_OPEN, RehearsalStatus, Verdict

COLUMNS = ("State", "Rehearsal", "Kind", "Environment", "Revisions", "Outcome", "Asked for", "Took", "By")
_CURSOR = "rehearsals before"
_KINDS = {"up": "what is pending", "down": "the way back"}


@require_safe
def rehearsal_clones(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    return render(request, "rehearsals/clones.html", clones_context(request))


def clones_context(request: HttpRequest) -> dict[str, object]:
    """For rehearsals/_clones.html, which any page may include; the address holds the filter and the place."""
    access.require(request.user, "view")
    wanted = RehearsalFilter(
        service=word(request, "service"),
        environment=word(request, "environment"),
        before=numbered_place(request, "before", _CURSOR),
    )
    window = list_rehearsals(wanted)
    narrowed = [
        InForce(f"{label} {value}", address(request, **{name: None}, before=None))
        for name, label, value in (
            ("service", "service", wanted.service),
            ("environment", "environment", wanted.environment),
        )
        if value
    ]
    return {
        "clones": draw_rehearsals(window.rows),
        "clones_columns": COLUMNS,
        "clones_wanted": wanted,
        "clones_narrowed": narrowed,
        "clones_shown": len(window.rows),
        "clones_services": service_names(),
        "clones_environments": environment_names(wanted.service),
        "clones_clear_url": address(request, service=None, environment=None, before=None),
        "clones_older_url": address(request, before=write(_CURSOR, window.older)) if window.older else "",
        "clones_newest_url": address(request, before=None) if wanted.before else "",
    }


def draw_rehearsals(rows: Iterable[access.Rehearsal]) -> SafeString:
    """Without a template loop; whatever people wrote is escaped."""
    return mark_safe("".join(_row(row) for row in rows))  # noqa: S308  escaped below


def state_name(rehearsal: access.Rehearsal) -> str:
    """The worst verdict of one that is done, else its status."""
    if rehearsal.status != RehearsalStatus.DONE:
        return rehearsal.status
    return next((one for one in WORST_FIRST if rehearsal.tally.get(one)), RehearsalStatus.DONE)


def _row(row: access.Rehearsal) -> str:
    place = format_html(
        '<span><a href="/services/{0}/environments/{1}">{1}</a> <span class="small faint">{0}</span></span>',
        row.service.name,
        row.environment.name,
    )
    problem = "" if row.status in REHEARSAL_OPEN or state_name(row) == Verdict.REVERSIBLE else " data-problem"
    cells = [
        cell("State", draw_state(state_of(state_name(row)))),
        head("Rehearsal", f'<a href="/rehearsals/{row.pk}">{row.pk}</a>'),
        cell("Kind", _KINDS[row.direction], "nowrap"),
        cell("Environment", place, "break"),
        cell("Revisions", f"<code>{escape(_span(row))}</code>", wraps(_span(row))),
        cell("Outcome", f"<span>{escape(short_sentence(row))}</span>", "break"),
        cell("Asked for", when(row.created_at)),
        cell("Took", _took(row), "num nowrap"),
        cell("By", escape(row.requested_by.get_username()), wraps(row.requested_by.get_username())),
    ]
    return f'<tr id="rehearsal-{row.pk}"{problem}>{"".join(cells)}</tr>'


def _span(row: access.Rehearsal) -> str:
    """`0017`, or `0017 … 0021` in the order they are tried."""
    names = [text.revision_number(one["revision_id"]) for one in row.revisions]
    return " … ".join(dict.fromkeys([*names[:1], *names[-1:]]))


def _took(row: access.Rehearsal) -> str:
    if row.started_at is None or row.finished_at is None:
        return ""
    return text.duration((row.finished_at - row.started_at).total_seconds() * 1000)
