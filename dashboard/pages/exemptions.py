"""One exemption: what was asked for and why, and the second person's answer."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dashboard import access, access_gates, stepup
from dashboard.pages.query import reason
from migrations_app.engine.errors import Refused
from migrations_app.permissions import may, needed_for
from migrations_app.reasons import SHORTEST_REASON
from migrations_app.releases.around import named_in_audit
from migrations_app.releases.gates.barred import people_barred
from migrations_app.releases.gates.exemptions import APPROVED, ASKED, told_of
from migrations_app.releases.gates.waivers import decide_waiver
from migrations_app.statuses import WaiverVerb

_SENTENCES = {
    "asked": "It counts for nothing until another person approves it.",
    "approved": "The check lets the release pass until then, whatever its evidence says.",
    "over": "Its time is over; the check counts as its evidence says.",
    "declined": "The check counts as its evidence says.",
    "withdrawn": "Whoever asked for it took it back.",
    "revoked": "It was taken away before its time was over.",
}


@require_safe
def exemption(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, access_gates.waiver_for(request.user, pk))


@require_POST
def exemption_decide(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Whoever asked withdraws with the right to ask; everybody else decides, with their password given just now."""
    needs = "ask_waiver" if verb == WaiverVerb.WITHDRAW else "decide_waiver"
    found = access_gates.waiver_for(request.user, pk, needs)
    by = access.require(request.user, needs)
    if verb not in WaiverVerb.values:
        raise Http404(f"Nobody can {verb[:20]} an exemption.")
    try:
        stepup.confirm(request, by=by, verb=needs, object=named_in_audit(found.release))
        decide_waiver(found, verb, reason=reason(request), by=by)
    except Refused as refusal:
        return stepup.led_out(request, refusal) or _page(
            request, access_gates.waiver_for(request.user, pk), refusal, typed=reason(request)
        )
    messages.success(request, f"The exemption of {found.gate_key}/{found.check_key} is {WaiverVerb(verb).label}.")
    return redirect("exemption", pk)


def _page(
    request: HttpRequest, waiver: access_gates.GateWaiver, refusal: Refused | None = None, typed: str = ""
) -> HttpResponse:
    found = told_of(waiver, timezone.now())
    mine = waiver.requested_by_id == request.user.pk
    context = {
        "waiver": waiver,
        "release": waiver.release,
        "told": found,
        "state": f"exemption_{found.state}",
        "sentence": _SENTENCES[found.state],
        "mine": mine,
        "why_not": _why_not(request, waiver, mine=mine),
        "asked": found.state == ASKED,
        "approved": found.state == APPROVED,
        "may_decide": may(request.user, "decide_waiver") and not mine,
        "may_withdraw": mine and may(request.user, "ask_waiver"),
        "shortest_reason": SHORTEST_REASON,
        "password_wanted": stepup.wanted(request),
        "refusal": refusal,
        "typed": typed,
    }
    return render(request, "releases/exemption.html", context, status=422 if refusal else 200)


def _why_not(request: HttpRequest, waiver: access_gates.GateWaiver, *, mine: bool) -> str:
    """Why this reader cannot approve it; empty where they can."""
    if mine:
        return "Nobody decides what they asked for themselves."
    if not may(request.user, "decide_waiver"):
        return needed_for("decide_waiver")
    barred = people_barred(waiver.release).get(request.user.pk or 0)
    return f"You {barred}." if barred else ""
