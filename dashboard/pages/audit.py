"""The audit log under the line that says whether its chain holds."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from dashboard import access
from dashboard.cursors import write
from dashboard.pages.audit_chain import anchor_line, chain_line, head_of
from dashboard.pages.audit_filter import AuditFilter, in_force, read_filter
from dashboard.pages.audit_lines import draw_entries
from dashboard.pages.audit_rows import AuditWindow, read_audit
from dashboard.pages.kept import Kept, page_version
from dashboard.pages.query import address
from migrations_app.audit.anchoring import last_anchor
from migrations_app.audit.checking import last_check
from migrations_app.permissions import may, who_may
from migrations_app.releases.crosscheck import check_and_keep

WINDOWS: Kept[tuple[AuditWindow, SafeString]] = Kept(40)


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    entries = access.audit_for(request.user)
    wanted = read_filter(request)
    check = last_check()
    head = head_of(entries)
    page, drawn = WINDOWS.get(page_version(request), lambda: _window(entries, wanted))
    return render(
        request,
        "account/audit.html",
        {
            "wanted": wanted,
            "filters": in_force(request, wanted),
            "drawn": drawn,
            "shown": len(page.rows),
            "head": head,
            "chain": chain_line(check, head, entries),
            "anchored": anchor_line(last_anchor()),
            "may_begin": head is not None or check is not None,
            "older_url": address(request, before=write("audit", page.older)) if page.older else "",
            "newest_url": address(request, before=None) if wanted.before else "",
            "clear_url": request.path,
            "may_verify": may(request.user, "verify_audit"),
            "verifiers": who_may("verify_audit"),
        },
    )


def _window(entries: QuerySet[access.AuditEntry], wanted: AuditFilter) -> tuple[AuditWindow, SafeString]:
    page = read_audit(entries, wanted)
    return page, draw_entries(page.rows)


@require_POST
def audit_verify(request: HttpRequest) -> HttpResponse:
    """Recompute every hash now. It changes nothing but what is known about the chain."""
    access.require(request.user, "verify_audit", "audit")
    verdict = check_and_keep()
    (messages.success if verdict.ok else messages.error)(request, verdict.sentence)
    return redirect("audit")
