"""One cutover: its page, the part of it that changes, and going on, giving up and taking back."""

from __future__ import annotations

import hashlib

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dashboard import access, access_cutovers, stepup
from dashboard.pages.cutover_view import Refusal, cutover_context, touches_production, version_parts
from dashboard.pages.query import reason, word
from dashboard.polls import poll
from migrations_app.engine.errors import LockstepError
from migrations_app.permissions import roles_of
from migrations_app.releases.around import named_in_audit
from migrations_app.rollouts.cutting_over import give_up, go_on, take_back
from migrations_app.rollouts.offers import GIVE_UP, GO_ON, TAKE_BACK, needs_of

_DONE = {
    GO_ON: "It goes on with the step that failed.",
    GIVE_UP: "Given up: nothing further is started.",
    TAKE_BACK: "It is being taken back, the last environment first.",
}


@require_safe
def cutover(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "cutovers/cutover.html", cutover_context(request, _look(request, pk)))


def _look(request: HttpRequest, pk: int, verb: str = "view") -> access_cutovers.Cutover:
    return access_cutovers.cutover_for(request.user, pk, verb)


def _version(request: HttpRequest, pk: int) -> str:
    """By reader, for what is off and whether a password is asked for differ between them."""
    found = _look(request, pk)
    steps = tuple(access_cutovers.steps_of_cutover_for(request.user, found))
    told = f"{version_parts(found, steps, timezone.now())} {request.user.pk} {sorted(roles_of(request.user))}"
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:20]}"'


@poll(_version)
def cutover_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The buttons are drawn anew only when they are others than those shown, so that no typed reason is lost."""
    context = cutover_context(request, _look(request, pk))
    context["redraw_actions"] = word(request, "drawn") != context["drawn"]
    return render(request, "cutovers/live.html", context)


@require_POST
def cutover_verb(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """What is refused is told on the page as it stands now, and the reason is kept."""
    needs = needs_of(verb, _look(request, pk))
    if needs is None:
        raise Http404(f"Nobody can {verb[:20]} a cutover.")
    found = _look(request, pk, needs)
    by = access.require(request.user, needs)
    try:
        if verb != GIVE_UP and touches_production(access_cutovers.steps_of_cutover_for(request.user, found)):
            stepup.confirm(request, by=by, verb=needs, object=named_in_audit(found.release))
        _do(found, verb, by, reason(request))
    except LockstepError as failure:
        if not request.user.is_authenticated:
            messages.error(request, failure.sentence)
            return redirect("login")
        refusal = Refusal(verb, reason(request), failure)
        return render(
            request, "cutovers/cutover.html", cutover_context(request, _look(request, pk), refusal), status=422
        )
    messages.success(request, _DONE[verb])
    return redirect("cutover", pk)


def _do(cutover: access_cutovers.Cutover, verb: str, by: access.User, why: str) -> None:
    if verb == GO_ON:
        go_on(cutover, by=by, reason=why)
    elif verb == GIVE_UP:
        give_up(cutover, by=by, reason=why)
    else:
        take_back(cutover, by=by, reason=why)
