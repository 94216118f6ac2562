"""One run: its page, the part of it that changes, and the verbs on it."""

from __future__ import annotations

import hashlib

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dashboard import access
from dashboard.pages.query import reason, word
from dashboard.pages.run_log import log_context, read_query
from dashboard.pages.run_view import chosen_attempt, count_anew, page_context, run_context
from dashboard.pages.verb import told
from dashboard.polls import poll
from migrations_app.admission.resuming import resume_run
from migrations_app.permissions import may
from migrations_app.runs import actions
from migrations_app.runs.detail import step_window
from migrations_app.runs.lease import lease_of
from migrations_app.runs.loglines import TAIL
from migrations_app.runs.offers import drawn_key
from migrations_app.statuses import CLAIMABLE

VERBS = {"pause": actions.pause, "resume": resume_run, "cancel": actions.cancel}
ANSWERS = {
    "pause": "Pause asked for: the run rests after the statement in progress.",
    "resume": "Resumed: the run is queued and goes on after its last recorded step.",
    "cancel": "Cancel asked for: what has its receipt stays applied.",
}


@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.run_for(request.user, pk)
    count_anew(request, found)
    attempt = chosen_attempt(request, found)
    steps = step_window(found, everything=word(request, "steps") == "all", attempt=attempt)
    context = {**run_context(request, found, steps, attempt), **page_context(request, found)}
    if may(request.user, "view_log"):
        context |= log_context(found, read_query(request), request.path, TAIL)
    return render(request, "runs/run.html", context)


def _version(request: HttpRequest, pk: int) -> str:
    """Before anything else is read. A heartbeat and a growing silence are visible, so they count as changes."""
    found = access.run_state_for(request.user, pk)
    lease = lease_of(found, timezone.now())
    silence = lease.words if lease.lost else ""
    waits = int(timezone.now().timestamp()) // 2 if found.status in CLAIMABLE else 0
    beat = found.beat_at.timestamp() if found.beat_at else 0
    told = f"{found.pk}.{found.version}.{drawn_key(found)}.{beat}.{silence}.{waits}.{request.user.pk}"
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:20]}"'


@poll(_version, beside=access.RUN_STATE)
def run_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes. What else stands on it is drawn anew only when it may differ from that.

    So the answer that ends the polling brings it too: the page that asks was drawn before the run's end.
    """
    found = access.run_for(request.user, pk)
    count_anew(request, found)
    attempt = chosen_attempt(request, found)
    context = run_context(request, found, step_window(found, attempt=attempt), attempt)
    context["redraw_actions"] = word(request, "drawn") != context["drawn"]
    context["redraw_told"] = word(request, "told") != context["told"]
    if not context["redraw_told"]:
        return render(request, "runs/live.html", context)
    return render(request, "runs/live.html", {**context, **page_context(request, found, polled=True)})


@require_POST
def run_control(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    if verb not in VERBS:
        raise Http404
    found = access.run_for(request.user, pk, "control_run")
    with told(request):
        VERBS[verb](found, by=access.require(request.user, "control_run"), reason=reason(request))
        messages.success(request, ANSWERS[verb])
    return redirect("run", pk=pk)


@require_POST
def run_resolve(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.run_for(request.user, pk, "resolve_run")
    with told(request):
        actions.resolve(
            found,
            verdict=request.POST.get("verdict", ""),
            by=access.require(request.user, "resolve_run"),
            reason=reason(request),
        )
        messages.success(request, "The decision is recorded.")
    return redirect("run", pk=pk)
