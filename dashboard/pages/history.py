"""The ledger as a page, under the line that says whether it agrees with the targets."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.pages.query import address, word
from migrations_app.fleet import ledger
from migrations_app.fleet.chain import environment_names, service_names
from migrations_app.fleet.history import HistoryFilter, parse_cursor, read_history


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    wanted = HistoryFilter(
        service=word(request, "service"),
        environment=word(request, "environment"),
        revision=word(request, "revision"),
        operator=word(request, "operator"),
        direction=word(request, "direction"),
        superseded=word(request, "superseded") == "yes",
        after=parse_cursor(word(request, "after")),
    )
    page = read_history(wanted)
    return render(
        request,
        "fleet/history.html",
        {
            "wanted": wanted,
            "rows": page.rows,
            "summary": ledger.summary(),
            "services": service_names(),
            "environments": environment_names(wanted.service),
            "older_url": address(request, after=str(page.older)) if page.older else "",
            "newest_url": address(request, after=None) if wanted.after else "",
            "clear_url": request.path,
            "superseded_url": address(request, superseded=None if wanted.superseded else "yes", after=None),
        },
    )
