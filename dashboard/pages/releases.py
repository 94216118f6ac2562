"""The releases of all services, newest first, and which environment runs what."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.cursors import write
from dashboard.pages.cells import cell, head, when, wraps
from dashboard.pages.query import InForce, address, numbered_place, one_of, word
from dashboard.templatetags.look import draw_state
from dashboard.templatetags.states import state_of
from migrations_app.fleet.chain import service_names
from migrations_app.permissions import may, needed_for
from migrations_app.releases.listing import STORED, ReleaseFilter, ReleaseRow, list_releases
from migrations_app.releases.mismatch import running_where

COLUMNS = ("State", "Release", "Service", "Schema", "Runs in", "Changed", "Registered", "By")
_CURSOR = "releases before"
MOST_PLACES = 60


@require_safe
def releases(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    words = dict(STORED)
    wanted = ReleaseFilter(
        service=word(request, "service"),
        status=one_of(request, "status", words),
        before=numbered_place(request, "before", _CURSOR),
    )
    window = list_releases(wanted)
    context = {
        "wanted": wanted,
        "filters": [
            InForce(told, address(request, **{name: None, "before": None}))
            for name, told, value in (
                ("service", f"service {wanted.service}", wanted.service),
                ("status", words.get(wanted.status, ""), wanted.status),
            )
            if value
        ],
        "clear_url": request.path,
        "drawn": draw_releases(window.rows),
        "columns": COLUMNS,
        "shown": len(window.rows),
        "running": running_where(wanted.service, MOST_PLACES),
        "services": service_names(),
        "statuses": STORED,
        "older_url": address(request, before=write(_CURSOR, window.older)) if window.older else "",
        "newest_url": address(request, before=None) if wanted.before else "",
        "may_register": may(request.user, "register_release"),
        "needs_registrar": needed_for("register_release"),
    }
    return render(request, "releases/list.html", context)


def draw_releases(rows: Iterable[ReleaseRow]) -> SafeString:
    """Without a template loop; whatever people wrote is escaped."""
    return mark_safe("".join(_row(row) for row in rows))  # noqa: S308  escaped below


def _row(row: ReleaseRow) -> str:
    page = reverse("release", args=[row.service, row.release_id])
    places = ", ".join(escape(name) for name in row.runs_in)
    cells = [
        cell("State", draw_state(state_of(f"release_{row.status}"))),
        head("Release", f'<a href="{escape(page)}">{escape(row.release_id)}</a>'),
        cell("Service", f"<span>{escape(row.service)}</span>", wraps(row.service)),
        cell("Schema", f"<code>{escape(row.schema_rev)}</code>", wraps(row.schema_rev)),
        cell("Runs in", f"<span>{places}</span>" if places else "", "break"),
        cell("Changed", when(row.changed_at)),
        cell("Registered", when(row.registered_at)),
        cell("By", f"<span>{escape(row.by)}</span>", wraps(row.by)),
    ]
    return f'<tr id="release-{row.id}">{"".join(cells)}</tr>'
