"""One drill: preparing it, its page, its stopwatch, and the verbs on it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import access
from dashboard.pages.drill_forms import DrillForm
from dashboard.pages.drill_rows import state_name
from dashboard.pages.drill_verbs import PRESSED, VERBS, pressed_words, read_press
from dashboard.pages.forms import saved
from dashboard.pages.query import one_of, sent, word
from dashboard.pages.verb import told
from dashboard.templatetags import text
from migrations_app.engine.errors import Refused
from migrations_app.fleet.chain import environment_names, service_names
from migrations_app.permissions import may, needed_for
from migrations_app.rehearsals.drills.actions import start_drill
from migrations_app.rehearsals.drills.clock import next_step
from migrations_app.rehearsals.drills.detail import DrillDetail, detail_of
from migrations_app.rehearsals.drills.refusals import NOTE_ABOVE_S
from migrations_app.rehearsals.drills.scenarios import SCENARIOS, STEPS
from migrations_app.rehearsals.drills.states import RESULTS, SENTENCES


@require_http_methods(["GET", "HEAD", "POST"])
def drill_start(request: HttpRequest) -> HttpResponse:
    """First where and what, by links and a form that only reads; then the plan, which is sent."""
    by = access.require(request.user, "run_drill")
    names = service_names()
    service = word(request, "service") or (names[0] if len(names) == 1 else "")
    name, scenario = word(request, "environment"), one_of(request, "scenario", SCENARIOS)
    context: dict[str, object] = {
        "services": names,
        "environments": environment_names(service) if service else [],
        "service": service,
        "chosen": name,
        "scenarios": [(key, known.word) for key, known in SCENARIOS.items()],
        "scenario": SCENARIOS.get(scenario),
    }
    if not (service and name and scenario):
        return render(request, "rehearsals/start.html", context)
    environment = access.environment_for(request.user, service, name, "run_drill")
    form = DrillForm(request.POST if request.method == "POST" else None, SCENARIOS[scenario])
    made: list[access.Drill] = []
    if form.is_valid() and saved(
        form, lambda: made.append(start_drill(environment=environment, plan=form.plan(), by=by))
    ):
        messages.success(request, "The drill is prepared. Its clock starts with the first press.")
        return redirect("drill_stopwatch", made[0].uid)
    context |= {"form": form, "environment": environment}
    return render(request, "rehearsals/start.html", context, status=422 if form.errors else 200)


@require_safe
def drill(request: HttpRequest, uid: UUID) -> HttpResponse:
    found = access.drill_for(request.user, uid)
    return render(request, "rehearsals/drill.html", _context(request, detail_of(found)))


@never_cache
@require_safe
def drill_stopwatch(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Never from a cache, not even by Back: what it shows is where the next press would count."""
    found = access.drill_for(request.user, uid)
    return render(request, "rehearsals/stopwatch.html", _context(request, detail_of(found)))


@never_cache
@require_safe
def drill_state(request: HttpRequest, uid: UUID) -> JsonResponse:
    """What an open stopwatch asks now and then, so that a second one follows the first."""
    found = access.drill_for(request.user, uid)
    return JsonResponse({"lap": found.lap, "status": found.status})


@require_POST
def drill_next(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A press. The script hears in JSON whether it was saved; a form is led back to the stopwatch."""
    found = access.drill_for(request.user, uid, "run_drill")
    by = access.require(request.user, "run_drill")
    scripted = request.headers.get("X-Requested-With") == "fetch"
    try:
        done = next_step(found, given=read_press(request), by=by)
    except Refused as refusal:
        if scripted:
            return JsonResponse({"refused": refusal.sentence, "code": refusal.code}, status=409)
        messages.error(request, f"{refusal.sentence} ({refusal.code})")
        return redirect("drill_stopwatch", uid)
    messages.success(request, pressed_words(done)) if done.counted else messages.info(request, PRESSED)
    return JsonResponse({"saved": True, "lap": done.drill.lap}) if scripted else redirect("drill_stopwatch", uid)


@require_POST
def drill_verb(request: HttpRequest, uid: UUID, verb: str) -> HttpResponse:
    """The other verbs; each leads back to the page it was asked from, which is one of two."""
    found = access.drill_for(request.user, uid, "run_drill")
    by = access.require(request.user, "run_drill")
    act = VERBS.get(verb)
    if act is None:
        return HttpResponse(status=404)
    with told(request):
        messages.success(request, act(request, found, by))
    page = "drill_stopwatch" if sent(request, "back") == "stopwatch" else "drill"
    return redirect(page, uid)


def _context(request: HttpRequest, detail: DrillDetail) -> dict[str, object]:
    drill = detail.drill
    return {
        "drill": drill,
        "detail": detail,
        "state": state_name(drill),
        "sentence": _sentence(detail),
        # The first one is part of the heading; what a drill that did not fail has to say is in its meaning.
        "more_reasons": detail.verdict.reasons[1:] if drill.result == "failed" else (),
        "meaning": RESULTS.get(drill.result) or SENTENCES[drill.status],
        "steps_total": STEPS,
        "note_above": NOTE_ABOVE_S,
        "may_drill": may(request.user, "run_drill"),
        "needs_hands": needed_for("run_drill"),
        "may_export": may(request.user, "export"),
        "limit_ms": drill.limit_s * 1000,
        "smoke": _smoke(detail),
    }


def _sentence(detail: DrillDetail) -> str:
    """The page's heading."""
    drill, recovery = detail.drill, detail.drill.recovery_ms
    what = f"{detail.scenario.word} on {drill.environment.name}"
    limit = text.duration(drill.limit_s * 1000)
    if drill.result == "failed":
        return f"{what}: failed, {detail.verdict.reasons[0][:1].lower()}{detail.verdict.reasons[0][1:]}"
    if drill.result:
        hands = ", with a hand" if drill.result == "with_interventions" else ""
        return f"{what}: recovered in {text.duration(recovery)}{hands}, limit {limit}."
    if drill.status == "abandoned":
        return f"{what}: abandoned."
    if drill.status == "ready":
        return f"{what}: ready, the clock stands still."
    if detail.all_ended:
        return f"{what}: all five steps have ended, it wants to be finished."
    step = detail.in_hand
    if step is None:
        return f"{what}: paused after step {drill.step} of {STEPS}."
    return f"{what}: step {step.step.number} of {STEPS}, {step.step.name[:1].lower()}{step.step.name[1:]}."


def _smoke(detail: DrillDetail) -> list[tuple[str, str]]:
    """The scenario's own list, and how each of it stood after the recovery; empty while nobody looked."""
    seen = {check.name: "passed" if check.passed else "failed" for check in detail.after}
    return [(name, seen.get(name, "")) for name in detail.scenario.smoke]
