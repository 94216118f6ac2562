"""Revisions: the chain of a service, one revision with its SQL, and uploading files."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_safe

from dashboard import access
from dashboard.cursors import write
from dashboard.pages.kept import Kept, one_text, page_version
from dashboard.pages.query import address, numbered_place
from dashboard.pages.revision_rows import draw_revisions
from dashboard.pages.upload import Upload, read_upload
from migrations_app.engine.errors import LockstepError
from migrations_app.fleet.chain import applied_where, neighbours, read_chain
from migrations_app.fleet.drift_plan import settled_by
from migrations_app.fleet.revisions import put_folder
from migrations_app.permissions import may, needed_for, who_may
from migrations_app.runs.planning import planned

PAGES: Kept[SafeString] = Kept(40, packing=one_text("revisions"))
HEADER_EXAMPLE = """-- lockstep: schema_rev sc-21
-- lockstep: phase expand            -- expand, migrate or contract
-- lockstep: parent 0006_add_email   -- default: the revision before it in name order"""


@require_safe
def revision_list(request: HttpRequest, service: str) -> HttpResponse:
    found = access.service_for(request.user, service)
    content = PAGES.get(page_version(request), lambda: _page(request, found))
    return render(request, "revisions/list.html", {"service": found, "content": content})


def _page(request: HttpRequest, found: access.Service) -> SafeString:
    of = f"revisions of {found.pk}"
    before = numbered_place(request, "before", of)
    chain = read_chain(found, before)
    return render_to_string(
        "revisions/_list_page.html",
        {
            "service": found,
            "chain": chain,
            "drawn": draw_revisions(chain.rows, found.name, environments=chain.environments),
            "shown": len(chain.rows),
            "older_url": address(request, before=write(of, chain.older)) if chain.older else "",
            "newest_url": address(request, before=None) if before is not None else "",
            "may_upload": may(request.user, "upload_revision"),
            "needs_uploader": needed_for("upload_revision"),
        },
    )


@require_safe
def revision(request: HttpRequest, service: str, revision_id: str) -> HttpResponse:
    found = access.revision_for(request.user, service, revision_id)
    may_sql = may(request.user, "view_sql")
    return render(
        request,
        "revisions/revision.html",
        {
            "revision": found,
            "may_sql": may_sql,
            "sql_readers": who_may("view_sql"),
            "up": planned(found, "up"),
            "down": planned(found, "down") if found.down_script is not None else None,
            "applied": applied_where(found),
            "near": neighbours(found),
            "drifts": settled_by(found),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def revision_upload(request: HttpRequest, service: str) -> HttpResponse:
    """All files at once: every refusal is told, and nothing is stored unless everything is."""
    found = access.service_for(request.user, service)
    by = access.require(request.user, "upload_revision")
    if request.method != "POST":
        return _upload_page(request, found, Upload())
    upload = read_upload(request.FILES.getlist("files"))
    if upload.refusals:
        return _upload_page(request, found, upload)
    try:
        puts = put_folder(service=found, files=upload.revisions, by=by)
    except LockstepError as failure:
        return _upload_page(request, found, upload.refused(failure))
    created, changed = sum(put.created for put in puts), sum(put.changed for put in puts)
    same = len(puts) - created - changed
    messages.success(request, f"{created} new, {changed} changed, {same} the same as before.")
    return redirect("revision_list", found.name)


def _upload_page(request: HttpRequest, service: access.Service, upload: Upload) -> HttpResponse:
    context = {"service": service, "upload": upload, "header": HEADER_EXAMPLE}
    return render(request, "revisions/upload.html", context, status=422 if upload.refusals else 200)
