"""Two people for a roll-back that loses something on production: asking for it, and granting or declining it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import access
from dashboard.pages.environment_rehearsals import look
from dashboard.pages.query import reason, sent, word
from dashboard.pages.verb import told
from migrations_app.admission.consent import GOOD_FOR, LOSSY, Wanted, ask_consent, decline_consent, grant_consent
from migrations_app.admission.door import Preview, preview
from migrations_app.engine.errors import Refused
from migrations_app.permissions import may, needed_for, who_may
from migrations_app.reasons import SHORTEST_REASON
from migrations_app.statuses import CONSENT_SENTENCES, ConsentStatus


@require_http_methods(["GET", "HEAD", "POST"])
def environment_rollback(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    """Ask for it: what would be lost, with the name typed and a reason."""
    found = access.environment_for(request.user, service, environment, "create_run")
    by = access.require(request.user, "create_run")
    if request.method != "POST":
        return _ask_page(request, found, word(request, "to"))
    to = sent(request, "to")
    wanted = Wanted(found, to, typed=sent(request, "typed"), shown=sent(request, "plan"))
    try:
        consent = ask_consent(wanted, by=by, reason=reason(request))
    except Refused as refusal:
        return _ask_page(request, found, to, refusal)
    messages.success(request, "Asked for: a second person has to grant it.")
    return redirect("rollback_request", consent.pk)


def _ask_page(
    request: HttpRequest, environment: access.Environment, to: str, refusal: Refused | None = None
) -> HttpResponse:
    plan: Preview | None = None
    try:
        plan = preview(environment=environment, direction="down", to=to or None)
    except Refused as unplanned:
        refusal = refusal or unplanned
    codes = {condition.code for condition in plan.conditions} if plan else set()
    context = {
        "environment": environment,
        "to": to,
        "plan": plan,
        "measured": look(environment, "down", plan).measured,
        "refusal": refusal,
        "blast": plan.blast if plan else None,
        "may_ask": codes == {LOSSY},
        "typed": sent(request, "typed"),
        "reason": reason(request),
        "shortest_reason": SHORTEST_REASON,
        "hours": int(GOOD_FOR.total_seconds() // 3600),
        "granters": who_may("grant_rollback"),
        **_readers(request),
    }
    return render(request, "services/ask_rollback.html", context, status=422 if refusal else 200)


@require_safe
def rollback_request(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.consent_for(request.user, pk)
    plan = _plan_of(found)
    mine = found.asked_by_id == request.user.pk
    late = found.status == ConsentStatus.ASKED and found.expires_at <= timezone.now()
    context = {
        "consent": found,
        "environment": found.environment,
        "state": "expired" if late else found.status,
        "sentence": "Nobody granted it in time; nothing was started." if late else CONSENT_SENTENCES[found.status],
        "waits": found.status == ConsentStatus.ASKED and not late,
        "plan": plan,
        "measured": look(found.environment, "down", plan).measured,
        "changed": plan is None or plan.blast.fingerprint != found.plan,
        "mine": mine,
        "may_grant": may(request.user, "grant_rollback") and not mine,
        "why_not": "Nobody grants what they asked for themselves." if mine else needed_for("grant_rollback"),
        "may_withdraw": mine and may(request.user, "create_run"),
        "shortest_reason": SHORTEST_REASON,
        **_readers(request),
    }
    return render(request, "rehearsals/request.html", context)


def _plan_of(consent: access.RollbackConsent) -> Preview | None:
    """As it would run now."""
    try:
        return preview(environment=consent.environment, direction="down", to=consent.to or None)
    except Refused:
        return None


def _readers(request: HttpRequest) -> dict[str, object]:
    return {"may_sql": may(request.user, "view_sql"), "sql_readers": who_may("view_sql")}


@require_POST
def rollback_grant(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.consent_for(request.user, pk, "grant_rollback")
    with told(request):
        run = grant_consent(found, by=access.require(request.user, "grant_rollback"), reason=reason(request))
        messages.success(request, f"Granted: run {run.pk} is queued.")
        return redirect("run", run.pk)
    return redirect("rollback_request", pk)


@require_POST
def rollback_decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Whoever asked takes it back in the same way, with the right to ask."""
    found = access.consent_for(request.user, pk)
    verb = "create_run" if found.asked_by_id == request.user.pk else "grant_rollback"
    by = access.require(request.user, verb, f"rollback-request:{pk}")
    with told(request):
        after = decline_consent(found, by=by, reason=reason(request))
        messages.success(request, CONSENT_SENTENCES[after.status])
    return redirect("rollback_request", pk)
