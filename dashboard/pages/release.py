"""One release's gates: the page, the part of it that changes, and the signature under exactly what is shown."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from dashboard import access, stepup
from dashboard.pages.query import sent, word
from dashboard.pages.release_view import Signing, live_context, look, look_anew, page_context, version_of
from dashboard.polls import poll
from migrations_app.engine.errors import Refused
from migrations_app.releases.around import named_in_audit
from migrations_app.releases.gates.signing import LONGEST_COMMENT, EvidenceChanged, sign_off


@require_safe
def release(request: HttpRequest, service: str, release_id: str) -> HttpResponse:
    found = look(request, access.release_named_for(request.user, service, release_id))
    return render(request, "releases/release.html", {**live_context(request, found), **page_context(request, found)})


def _version(request: HttpRequest, service: str, release_id: str) -> str:
    return f'"{version_of(request, access.release_named_for(request.user, service, release_id))}"'


@poll(_version)
def release_live(request: HttpRequest, service: str, release_id: str) -> HttpResponse:
    """`sign` and `shown` are what the asking page's sign-off box holds: it is told when that is not what stands."""
    found = look(request, access.release_named_for(request.user, service, release_id))
    signing = found.row(word(request, "sign"))
    shown = word(request, "shown")
    context = live_context(request, found)
    context["news"] = signing if signing and shown and signing.found.evidence_hash != shown else None
    return render(request, "releases/live.html", context)


@require_POST
def release_sign(request: HttpRequest, service: str, release_id: str) -> HttpResponse:
    """What is refused is told on the page as it stands now, and the comment is kept."""
    found = access.release_named_for(request.user, service, release_id, "sign_gate")
    by = access.require(request.user, "sign_gate")
    gate, shown = sent(request, "gate"), sent(request, "evidence_hash")
    comment = sent(request, "comment", LONGEST_COMMENT + 1)
    try:
        stepup.confirm(request, by=by, verb="sign_gate", object=named_in_audit(found))
        signed = sign_off(release=found, gate=gate, evidence_hash=shown, comment=comment, by=by)
    except Refused as refusal:
        return stepup.led_out(request, refusal) or _refused(request, found, refusal)
    messages.success(request, f"{by.get_username()} signed {gate} of {release_id}: {signed.evidence_hash[:12]}.")
    return redirect(f"{reverse('release', args=[service, release_id])}#gates")


def _refused(request: HttpRequest, release: access.Release, refusal: Refused) -> HttpResponse:
    found = look_anew(request, release)
    row = found.row(sent(request, "gate"))
    if row is None:
        raise Http404(refusal.message)
    changed = isinstance(refusal, EvidenceChanged)
    signing = Signing(
        row=row,
        evidence_hash=sent(request, "evidence_hash") if not changed else row.found.evidence_hash,
        comment=sent(request, "comment", LONGEST_COMMENT + 1),
        error=refusal.sentence,
        shown=sent(request, "evidence_hash") if changed else "",
    )
    context = {**live_context(request, found), **page_context(request, found, signing)}
    return render(request, "releases/release.html", context, status=409 if changed else 422)
