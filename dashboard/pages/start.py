"""Starting a run from a page: the plan that was shown is the plan that starts, or nothing does."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from dashboard import access
from dashboard.pages.environment_rehearsals import look
from dashboard.pages.query import one_of, reason, sent, word
from dashboard.pages.verb import told
from migrations_app.admission.blast import Friction
from migrations_app.admission.door import Preview, plan_differs, preview, start_run
from migrations_app.engine.contract.plan import PlannedRevision
from migrations_app.engine.sql.locks import STRENGTHS
from migrations_app.permissions import may, who_may
from migrations_app.reasons import SHORTEST_REASON
from migrations_app.runs.pulse import pulse

DIRECTIONS = ("up", "down")


@dataclass(frozen=True)
class Asked:
    direction: str
    to: str

    def url(self, name: str, environment: access.Environment, anchor: str = "", **more: str | int) -> str:
        query = {"direction": self.direction, **({"to": self.to} if self.to else {}), **more}
        return f"{reverse(name, args=[environment.service.name, environment.name])}?{urlencode(query)}{anchor}"


def plan_words(environment: access.Environment, plan: Preview, asked: Asked) -> dict[str, object]:
    """What a page says about a plan beside its statements: its locks, and what it will wait for."""
    return {
        "blast": plan.blast,
        "locks": _locks(plan.revisions),
        "window_s": environment.lock_window_seconds or settings.LOCKSTEP_LOCK_WINDOW_SECONDS,
        "confirm_url": asked.url("environment_confirm", environment),
        "pulse": pulse(),
        "shortest_reason_to_run": SHORTEST_REASON,
    }


def _locks(revisions: tuple[PlannedRevision, ...]) -> list[tuple[str, str]]:
    """Existing tables with the strongest lock that the plan takes on each, in the order they are met.

    Where the text names no table, as with an index that is dropped, the statement stands for it.
    """
    found: dict[str, str] = {}
    for revision in revisions:
        for step in revision.steps:
            for statement in step.statements:
                for what, mode in statement.locks or ((statement.summary, statement.lock or ""),):
                    found[what] = max(found.get(what, ""), mode, key=STRENGTHS.index)
    return [(what, mode) for what, mode in found.items() if mode]


@require_safe
def environment_confirm(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    """What cannot be undone, listed, before it is started; a plan that needs no such page leads back to its own."""
    found = access.environment_for(request.user, service, environment, "create_run")
    asked = Asked(one_of(request, "direction", DIRECTIONS) or "up", word(request, "to"))
    with told(request):
        plan = preview(environment=found, direction=asked.direction, to=asked.to or None)
        if not plan.conditions and plan.blast.friction != Friction.CLICK:
            return _confirm_page(request, found, plan, asked)
        return redirect(asked.url("environment", found, "#plan"))
    return redirect("environment", service, environment)


def _confirm_page(
    request: HttpRequest, environment: access.Environment, plan: Preview, asked: Asked, wrong: tuple[str, ...] = ()
) -> HttpResponse:
    context = {
        "environment": environment,
        "plan": plan,
        "direction": asked.direction,
        "to": asked.to,
        "plan_url": asked.url("environment", environment, "#plan"),
        "wrong": wrong,
        "typed": request.POST.get("typed", ""),
        "reason": reason(request),
        "may_sql": may(request.user, "view_sql"),
        "sql_readers": who_may("view_sql"),
        "measured": look(environment, "down" if asked.direction == "down" else "up", plan).measured,
        **plan_words(environment, plan, asked),
    }
    return render(request, "services/confirm_run.html", context, status=422 if wrong else 200)


@require_POST
def environment_run(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    """Start what was shown. A second click meets the first one's run and is told so.

    1. Look at the plan again; one that differs from what was shown is shown instead.
    2. Ask for what its reach demands. 3. Start it, comparing once more under the environment's lock.
    """
    found = access.environment_for(request.user, service, environment, "create_run")
    asked = Asked(sent(request, "direction"), sent(request, "to"))
    shown = sent(request, "plan")
    with told(request):
        plan = preview(environment=found, direction=asked.direction, to=asked.to or None)
        if not plan.conditions:
            if shown != plan.blast.fingerprint:
                raise plan_differs(found)
            wrong = _missing(request, found, plan)
            if wrong:
                return _confirm_page(request, found, plan, asked, wrong)
        started = start_run(
            environment=found,
            direction=asked.direction,
            to=asked.to or None,
            by=access.require(request.user, "create_run"),
            reason=reason(request),
            shown=shown,
        )
        messages.success(request, f"Run {started.run.pk} is queued.")
        return redirect("run", started.run.pk)
    if asked.direction not in DIRECTIONS:
        return redirect("environment", service, environment)
    return redirect(asked.url("environment", found, "#plan"))


def _missing(request: HttpRequest, environment: access.Environment, plan: Preview) -> tuple[str, ...]:
    """What the reach of this plan asks for and the form does not hold, a sentence each."""
    if plan.blast.friction == Friction.CLICK:
        return ()
    if request.POST.get("confirmed") != "yes":
        return ("What does not come back has to be confirmed first.",)
    if plan.blast.friction == Friction.CONFIRM:
        return ()
    wrong = []
    if sent(request, "typed") != environment.name:
        wrong.append(f"The name that was typed is not {environment.name}.")
    if len(reason(request)) < SHORTEST_REASON:
        wrong.append(f"A reason of {SHORTEST_REASON} characters or more is missing.")
    return tuple(wrong)
