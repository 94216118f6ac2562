"""Who works behind the pages: queues, workers, what they hold; the web processes and a controlled restart of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from dashboard import access
from dashboard.health.queue import NoRedis, QueueLook, look
from dashboard.pages.query import sent
from dashboard.pages.verb import told
from dashboard.restarting import ask, blocked_words, refusal_words
from migrations_app.health.programs import Program, list_leases, list_programs
from migrations_app.health.restarts import Override, Standing, standing
from migrations_app.permissions import may, needed_for
from migrations_app.watchdog.entry import BLOCKED, EXECUTED, Entry

# What became of a restart, and why, in words.
STATES = {EXECUTED: "restart_executed", BLOCKED: "restart_refused"}
WHY = {
    "signal_sighup": "gunicorn was told to replace its processes.",
    "gunicorn_pid_unavailable": "No running gunicorn was found.",
    "signal_failed": "gunicorn could not be signalled.",
    "guarded_mode_blocked": "There had been too many restarts.",
    "cooldown_active": "The last one was too short a time ago.",
    "flag_unreadable": "The request could not be read.",
}


@dataclass(frozen=True)
class RestartRow:
    entry: Entry

    @property
    def state(self) -> str:
        return STATES.get(self.entry.decision, "restart_failed")

    @property
    def why(self) -> str:
        return WHY.get(self.entry.decision_reason, self.entry.decision_reason)


@never_cache
@require_safe
def workers(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view", "workers")
    found, programs = standing(), list_programs()
    context = {
        "queue": _queue(),
        "redis_given": bool(settings.REDIS_URL),
        "programs": programs,
        "leases": list_leases(),
        "headline": _headline(programs),
        "found": found,
        "policy": f"restart_{found.state.state}",
        "policy_words": _policy_words(found),
        "watched": _watched_words(found),
        "restarts": [RestartRow(entry) for entry in found.newest],
        "sees_all": may(request.user, "view_system"),
        "why_not": "" if may(request.user, "restart_web") else needed_for("restart_web"),
    }
    return render(request, "account/workers.html", context)


@require_POST
def workers_restart(request: HttpRequest) -> HttpResponse:
    by = access.require(request.user, "restart_web", "web")
    override = Override(
        wanted=request.POST.get("override") == "on",
        acknowledged=request.POST.get("acknowledged") == "on",
        reason=sent(request, "reason", 500),
    )
    with told(request):
        answer = ask(request, by, override)
        if answer.decision.allowed:
            messages.success(request, "The restart is asked for; the watchdog does it within seconds.")
        else:
            messages.error(request, refusal_words(answer))
    return redirect("workers")


def _queue() -> QueueLook | None:
    """None: Redis does not answer, so nothing is known."""
    if not settings.REDIS_URL:
        return None
    try:
        found = look()
    except NoRedis:
        return None
    return found if found.rq_available else None


def _headline(programs: list[Program]) -> str:
    beating = sum(not program.silent for program in programs)
    if not beating:
        return "No worker is at work: runs wait."
    silent = len(programs) - beating
    noun = "worker beats" if beating == 1 else "workers beat"
    return f"{beating} {noun}, {silent} silent." if silent else f"{beating} {noun}."


def _policy_words(found: Standing) -> str:
    state = found.state
    if state.state == "blocked":
        return blocked_words(state)
    if state.state == "allowed":
        most = min(state.rules.retry_budget, state.rules.churn_threshold)
        guard = f"{most} are the most" if state.rules.guarded else "nothing limits them"
        return f"{state.attempts} in the last {state.rules.window_s / 60:g} minutes; {guard}."
    if found.waiting is not None:
        return f"A restart that {found.waiting.user} asked for waits for the watchdog."
    return f"One was asked for a moment ago; the next is possible in {state.cooldown_remaining_s} s."


def _watched_words(found: Standing) -> str:
    if found.watched:
        return "The watchdog looks for requests."
    if found.beat_age is None:
        return "Unknown: no watchdog was ever seen from here. A request would wait."
    return f"The watchdog has not looked for {found.beat_age:.0f} s. A request would wait."
