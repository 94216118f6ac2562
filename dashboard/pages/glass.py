"""A request to cut over although gates block: what both people see, and the second one's answer."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dashboard import access, access_cutovers, stepup
from dashboard.pages.query import reason
from migrations_app.engine.errors import LockstepError
from migrations_app.permissions import RELEASE_MANAGER, may, needed_for, roles_of
from migrations_app.reasons import SHORTEST_REASON
from migrations_app.releases.around import named_in_audit
from migrations_app.releases.gates.glass import blockers_hash, decline_glass
from migrations_app.releases.gates.reading import judged
from migrations_app.rollouts.cutting_over import break_glass

GRANT, DECLINE = "grant", "decline"
_SENTENCES = {
    "asked": "The gates keep the release back until a second person agrees.",
    "granted": "Two people broke the glass; the release carries both names for good.",
    "declined": "The gates keep the release back.",
    "expired": "Nobody answered within the hour; the gates keep the release back.",
}


@require_safe
def glass(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, access_cutovers.glass_for(request.user, pk))


@require_POST
def glass_answer(request: HttpRequest, pk: int, answer: str) -> HttpResponse:
    """Granting starts the cutover. Whoever asked takes it back by declining it."""
    found = access_cutovers.glass_for(request.user, pk, "break_glass")
    by = access.require(request.user, "break_glass")
    if answer not in (GRANT, DECLINE):
        raise Http404(f"Nobody can {answer[:20]} it.")
    try:
        stepup.confirm(request, by=by, verb="break_glass", object=named_in_audit(found.release))
        if answer == GRANT:
            cutover = break_glass(found, reason=reason(request), by=by)
            messages.success(request, f"The glass is broken: cutover {cutover.pk} has begun.")
            return redirect("cutover", cutover.pk)
        decline_glass(found, reason=reason(request), by=by)
    except LockstepError as refusal:
        if not request.user.is_authenticated:
            messages.error(request, refusal.sentence)
            return redirect("login")
        return _page(request, access_cutovers.glass_for(request.user, pk), refusal)
    messages.success(request, "The glass is whole; nothing was started.")
    return redirect("glass", pk)


def _page(
    request: HttpRequest, glass: access_cutovers.BreakGlass, refusal: LockstepError | None = None
) -> HttpResponse:
    state = _state(glass)
    mine = glass.asked_by_id == request.user.pk
    waits = state == "asked"
    changed = waits and blockers_hash(judged(glass.release)) != glass.blockers_hash
    context = {
        "glass": glass,
        "release": glass.release,
        "answer": getattr(glass, "answer", None),
        "cutover": getattr(glass, "cutover", None),
        "state": state,
        "sentence": _SENTENCES[state],
        "waits": waits,
        "changed": changed,
        "mine": mine,
        "may_answer": may(request.user, "break_glass"),
        "why_not": _why_not(request, glass, mine=mine, changed=changed),
        "shortest_reason": SHORTEST_REASON,
        "password_wanted": stepup.wanted(request),
        "refusal": refusal,
        "typed": reason(request),
    }
    return render(request, "cutovers/glass.html", context, status=422 if refusal else 200)


def _state(glass: access_cutovers.BreakGlass) -> str:
    answer = getattr(glass, "answer", None)
    if answer is not None:
        return "granted" if answer.granted else "declined"
    return "expired" if glass.expires_at <= timezone.now() else "asked"


def _why_not(request: HttpRequest, glass: access_cutovers.BreakGlass, *, mine: bool, changed: bool) -> str:
    """Why this reader cannot grant it; empty where they can."""
    if not may(request.user, "break_glass"):
        return needed_for("break_glass")
    if mine:
        return "Nobody grants what they asked for themselves."
    if not any(RELEASE_MANAGER in roles_of(person) for person in (glass.asked_by, request.user)):
        return f"One of the two has to be a {RELEASE_MANAGER}."
    return "Other gates block than when it was asked for: it has to be asked for again." if changed else ""
