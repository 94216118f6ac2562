"""Services: the list, one service, and adding one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from dashboard import access
from dashboard.pages.forms import ServiceForm, saved
from dashboard.pages.revision_rows import draw_revisions
from migrations_app.fleet.chain import list_services, read_chain
from migrations_app.fleet.services import create_service
from migrations_app.fleet.standing import standings
from migrations_app.permissions import may, needed_for


@require_safe
def service_list(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    context = {
        "services": list_services(),
        "may_edit": may(request.user, "edit_fleet"),
        "needs_editor": needed_for("edit_fleet"),
    }
    return render(request, "services/list.html", context)


@require_safe
def service(request: HttpRequest, service: str) -> HttpResponse:
    found = access.service_for(request.user, service)
    chain = read_chain(found, window=8)
    return render(
        request,
        "services/service.html",
        {
            "service": found,
            "rows": standings(access.environments_for(request.user).filter(service=found)),
            "chain": chain,
            "drawn": draw_revisions(chain.rows, found.name, environments=chain.environments),
            "may_edit": may(request.user, "edit_fleet"),
            "needs_editor": needed_for("edit_fleet"),
            "may_upload": may(request.user, "upload_revision"),
            "needs_uploader": needed_for("upload_revision"),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def service_add(request: HttpRequest) -> HttpResponse:
    by = access.require(request.user, "edit_fleet")
    form = ServiceForm(request.POST or None)
    if form.is_valid():
        name = form.cleaned_data["name"]
        if saved(form, lambda: create_service(name=name, by=by)):
            messages.success(request, f"Service {name} is there. Next: its environments and its revisions.")
            return redirect("service", name)
    return render(request, "services/add.html", {"form": form}, status=422 if form.errors else 200)
