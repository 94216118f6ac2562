"""The ledger as a page, under the line that says whether it agrees with the targets."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.cursors import write
from dashboard.pages.history_filter import DIRECTIONS, in_force, read_filter
from dashboard.pages.history_rows import draw_receipts
from dashboard.pages.kept import Kept, one_text, page_version
from dashboard.pages.query import address
from migrations_app.fleet import ledger
from migrations_app.fleet.chain import environment_names, service_names
from migrations_app.fleet.history import read_history
from migrations_app.permissions import may, who_may
from migrations_app.statuses import Phase

PAGES: Kept[SafeString] = Kept(40, packing=one_text("history"))


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    summary = ledger.agreement()
    content = PAGES.get(f"{page_version(request)} {summary}", lambda: _page(request, summary))
    return render(request, "fleet/history.html", {"content": content})


def _page(request: HttpRequest, summary: ledger.Reconciliation) -> SafeString:
    wanted = read_filter(request)
    page = read_history(wanted)
    services = service_names()
    return render_to_string(
        "fleet/_history_page.html",
        {
            "wanted": wanted,
            "filters": in_force(request, wanted),
            "drawn": draw_receipts(page.rows, with_service=len(services) > 1),
            "shown": len(page.rows),
            "summary": summary,
            "services": services,
            "environments": environment_names(wanted.service),
            "phases": Phase.values,
            "directions": DIRECTIONS.items(),
            "older_url": address(request, after=write("history", *page.older.key)) if page.older else "",
            "newest_url": address(request, after=None) if wanted.after else "",
            "clear_url": request.path,
            "superseded_url": address(request, superseded=None if wanted.superseded else "yes", after=None),
            "anomalies_url": address(request, anomalies=None if wanted.anomalies else "yes", after=None),
            # All rows that fit, not from this page on.
            "query": urlsplit(address(request, after=None)).query,
            "may_export": may(request.user, "export"),
            "exporters": who_may("export"),
            "compare_url": reverse("history_compare"),
        },
    )
