"""The plan of a release's cutover: what would happen where and what is in its way, started here or past the gates."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from dashboard import access, stepup
from dashboard.pages.cutover_plan_view import PlanForm, plan_context
from dashboard.pages.query import reason, sent
from migrations_app.admission.conditions import NotAdmitted
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.fleet.production import production_ids
from migrations_app.releases.around import named_in_audit
from migrations_app.releases.gates.glass import ask_to_break
from migrations_app.rollouts.cutting_over import cut_over


@require_http_methods(["GET", "HEAD", "POST"])
def cutover_plan(request: HttpRequest, service: str, release_id: str) -> HttpResponse:
    """Whoever may look sees the plan; to start it needs more, and the name typed where production is among it."""
    verb = "cut_over" if request.method == "POST" else "view"
    found = access.release_named_for(request.user, service, release_id, verb)
    by = access.require(request.user, verb)
    places = tuple(access.environments_for(request.user).filter(service=found.service).order_by("order", "name"))
    if request.method != "POST":
        return render(request, "cutovers/plan.html", plan_context(request, found, PlanForm.fresh(places)))
    form = PlanForm(request.POST, places=places)
    refusal: LockstepError | None = None
    if form.is_valid():
        try:
            _refuse_untyped(found, form)
            stepup.confirm(request, by=by, verb=verb, object=named_in_audit(found))
            started = cut_over(
                release=found,
                by=by,
                reason=form.cleaned_data["reason"],
                environments=form.cleaned_data["environments"],
                window=form.window(),
            )
        except LockstepError as failure:
            refusal = failure
        else:
            messages.success(request, f"Cutover {started.pk} of {release_id} has begun.")
            return redirect("cutover", started.pk)
    return _again(request, found, form, refusal)


def _refuse_untyped(release: access.Release, form: PlanForm) -> None:
    production = production_ids()
    names = [one.name for one in form.chosen() if one.pk in production]
    if names and form.cleaned_data["typed"] != release.release_id:
        raise Refused(
            "not_confirmed",
            f"{names[0]} is production, and the name that was typed is not {release.release_id}.",
            not_done="No cutover was created and nothing was changed.",
            next_step="Type it as it is, or leave production out.",
        )


def _again(
    request: HttpRequest, release: access.Release, form: PlanForm, refusal: LockstepError | None
) -> HttpResponse:
    if not request.user.is_authenticated:
        messages.error(request, refusal.sentence if refusal else "")
        return redirect("login")
    context = plan_context(request, release, form)
    context["refusal"] = refusal
    context["unmet"] = refusal.conditions if isinstance(refusal, NotAdmitted) else ()
    return render(request, "cutovers/plan.html", context, status=422)


@require_POST
def glass_ask(request: HttpRequest, service: str, release_id: str) -> HttpResponse:
    """The first of two people: what blocks is kept with the reason, and the second one sees just that."""
    found = access.release_named_for(request.user, service, release_id, "break_glass")
    by = access.require(request.user, "break_glass")
    try:
        stepup.confirm(request, by=by, verb="break_glass", object=named_in_audit(found))
        asked = ask_to_break(release=found, typed=sent(request, "typed"), reason=reason(request), by=by)
    except Refused as refusal:
        places = tuple(access.environments_for(request.user).filter(service=found.service).order_by("order", "name"))
        return _again(request, found, PlanForm.fresh(places), refusal)
    messages.success(request, "Asked for: it takes a second person's word within the hour.")
    return redirect("glass", asked.pk)
