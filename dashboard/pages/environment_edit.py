"""Changing an environment: its place, its address, the proof of its target, and taking it away."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from dashboard import access
from dashboard.pages.forms import EnvironmentEditForm, saved
from dashboard.pages.query import sent
from dashboard.pages.verb import told
from migrations_app.fleet.backups import forget_backup, name_backup
from migrations_app.fleet.edit import editable
from migrations_app.fleet.environments import change_environment, has_history, prove_again, remove_environment


@require_http_methods(["GET", "HEAD", "POST"])
def environment_edit(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    found = access.environment_for(request.user, service, environment, "edit_fleet")
    by = access.require(request.user, "edit_fleet")
    form = EnvironmentEditForm(request.POST or None, initial=editable(found))
    if form.is_valid() and saved(
        form,
        lambda: change_environment(
            environment=found, edit=form.edit(), by=by, dsn=form.cleaned_data["dsn"], adopt=form.cleaned_data["adopt"]
        ),
    ):
        changed = f"{found.name} was changed." if form.has_changed() else f"Nothing of {found.name} was changed."
        messages.success(request, changed)
        return redirect("environment", service, environment)
    context = {"form": form, "environment": found, "has_history": has_history(found)}
    return render(request, "services/edit_environment.html", context, status=422 if form.errors else 200)


@require_POST
def environment_prove(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    """Look at the target as on the first day; `adopt` accepts another database in its place."""
    found = access.environment_for(request.user, service, environment, "edit_fleet")
    adopt = request.POST.get("adopt") == "yes"
    with told(request):
        prove_again(environment=found, by=access.require(request.user, "edit_fleet"), adopt=adopt)
        done = "adopted the database at its address" if adopt else "was proven on its target"
        messages.success(request, f"{found.name} {done}.")
        return redirect("environment", service, environment)
    return redirect("environment_edit", service, environment)


@require_POST
def environment_backup(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    """Name the restored backup to rehearse on; with the button to forget it, take it away."""
    found = access.environment_for(request.user, service, environment, "edit_fleet")
    by = access.require(request.user, "edit_fleet")
    with told(request):
        if sent(request, "forget"):
            forget_backup(environment=found, by=by)
            messages.success(request, f"{found.name} has no backup to rehearse on.")
        else:
            named = name_backup(environment=found, dsn=sent(request, "dsn", 2000), by=by)
            messages.success(request, f"{found.name} may be rehearsed on {named.backup_name}.")
    return redirect("environment_edit", service, environment)


@require_POST
def environment_remove(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    """Only with its name typed: nothing brings it back but adding it again."""
    found = access.environment_for(request.user, service, environment, "edit_fleet")
    if request.POST.get("name", "").strip() != found.name:
        messages.error(request, f"The name that was typed is not {found.name}. Nothing was removed.")
        return redirect("environment_edit", service, environment)
    with told(request):
        remove_environment(environment=found, by=access.require(request.user, "edit_fleet"))
        messages.success(request, f"{found.name} is not an environment of {service} any more.")
        return redirect("service", service)
    return redirect("environment_edit", service, environment)
