"""The rehearsal log: what was practised, by people and on clones; the decision matrix; two beside each other."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.cursors import write
from dashboard.pages.drill_rows import draw_drills, state_name
from dashboard.pages.query import BadAddress, InForce, address, numbered_place, one_of, whole, word
from dashboard.pages.rehearsal_list import COLUMNS, draw_rehearsals
from dashboard.templatetags import text
from migrations_app.fleet.chain import environment_names, service_names
from migrations_app.permissions import may, needed_for, who_may
from migrations_app.rehearsals.drills.compare import compare_drills
from migrations_app.rehearsals.drills.listing import RESULTS, DrillFilter, list_drills
from migrations_app.rehearsals.drills.scenarios import SCENARIOS
from migrations_app.rehearsals.drills.summary import (
    FRESH_DAYS,
    Summary,
    last_of_each_scenario,
    production_places,
    summarise,
)
from migrations_app.rehearsals.listing import RehearsalFilter, list_rehearsals

NEWEST_CLONES = 8


def read_filter(request: HttpRequest) -> DrillFilter:
    """Raises BadAddress where the address was spoilt."""
    return DrillFilter(
        service=word(request, "service"),
        environment=word(request, "environment"),
        scenario=one_of(request, "scenario", SCENARIOS),
        result=one_of(request, "result", RESULTS),
        before=numbered_place(request, "before", "drills"),
    )


@require_safe
def rehearsals(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    wanted = read_filter(request)
    page = list_drills(wanted)
    last = last_of_each_scenario(wanted)
    summary = summarise(wanted)
    on_clones = RehearsalFilter(service=wanted.service, environment=wanted.environment)
    context = {
        "wanted": wanted,
        "filters": _in_force(request, wanted),
        "clear_url": request.path,
        "summary": summary,
        "age": _age(summary),
        "fresh_days": FRESH_DAYS,
        "matrix": [(scenario, last.get(key), _name(last.get(key))) for key, scenario in SCENARIOS.items()],
        "places": production_places(wanted),
        "drawn": draw_drills(page.rows),
        "shown": len(page.rows),
        "services": service_names(),
        "environments": environment_names(wanted.service),
        "scenarios": [(key, scenario.word) for key, scenario in SCENARIOS.items()],
        "results": RESULTS.items(),
        "older_url": address(request, before=write("drills", page.older)) if page.older else "",
        "newest_url": address(request, before=None) if wanted.before else "",
        "clones": draw_rehearsals(list_rehearsals(on_clones, NEWEST_CLONES).rows),
        "clones_columns": COLUMNS,
        "clones_url": f"{reverse('rehearsal_clones')}?{urlencode(_set(on_clones))}",
        "query": urlsplit(address(request, before=None)).query,
        "start_query": urlencode({k: v for k in ("service", "environment", "scenario") if (v := getattr(wanted, k))}),
        **_rights(request),
    }
    return render(request, "rehearsals/list.html", context)


def _set(wanted: RehearsalFilter) -> dict[str, str]:
    return {name: value for name in ("service", "environment") if (value := getattr(wanted, name))}


def _rights(request: HttpRequest) -> dict[str, object]:
    return {
        "may_drill": may(request.user, "run_drill"),
        "needs_hands": needed_for("run_drill"),
        "may_export": may(request.user, "export"),
        "exporters": who_may("export"),
    }


def _name(drill: access.Drill | None) -> str:
    return state_name(drill) if drill else ""


def _age(summary: Summary) -> str:
    """How long ago the last success ended: `6 d 2 h`."""
    ended = summary.success.finished_at if summary.success else None
    return text.duration((summary.now - ended).total_seconds() * 1000) if ended else ""


def _in_force(request: HttpRequest, wanted: DrillFilter) -> list[InForce]:
    told = {
        "service": f"service {wanted.service}",
        "environment": f"environment {wanted.environment}",
        "scenario": SCENARIOS[wanted.scenario].word.lower() if wanted.scenario else "",
        "result": RESULTS.get(wanted.result, ""),
    }
    chosen = [name for name in told if getattr(wanted, name)]
    return [InForce(told[name], address(request, **{name: None, "before": None})) for name in chosen]


@require_safe
def rehearsal_levers(request: HttpRequest) -> HttpResponse:
    """From what is seen to the lever that undoes it; with an environment chosen, the links lead to it."""
    access.require(request.user, "view")
    service, name = word(request, "service"), word(request, "environment")
    environment = access.environment_for(request.user, service, name) if service and name else None
    wanted = DrillFilter(service=service, environment=name)
    last = last_of_each_scenario(wanted)
    release = access.releases_for(request.user).filter(service__name=service).first() if service else None
    context = {
        "service": service,
        "environment": environment,
        "newest_release": release.release_id if release else "",
        "back_url": f"{reverse('release_places', args=[service, release.release_id])}#back" if release else "",
        "services": service_names(),
        "environments": environment_names(service) if service else [],
        "chosen": name,
        "matrix": [(scenario, last.get(key), _name(last.get(key))) for key, scenario in SCENARIOS.items()],
        **_rights(request),
    }
    return render(request, "rehearsals/levers.html", context)


@require_safe
def rehearsal_compare(request: HttpRequest) -> HttpResponse:
    """`pick` twice comes from the list and becomes `a` and `b`, the earlier one first; those are what is kept."""
    access.require(request.user, "view")
    picked = request.GET.getlist("pick")
    if picked or "pick" in request.GET:
        return _picked(request, picked)
    left, right = _uid(request, "a"), _uid(request, "b")
    context: dict[str, object] = {}
    if left and right:
        one, other = (access.drill_for(request.user, uid) for uid in (left, right))
        context = {
            "pair": compare_drills(one, other),
            "one_state": state_name(one),
            "other_state": state_name(other),
            "swap_url": address(request, a=str(right), b=str(left)),
        }
    return render(request, "rehearsals/compare.html", context)


def _picked(request: HttpRequest, picked: list[str]) -> HttpResponse:
    uids = [_read_uid("pick", value) for value in picked]
    if len(set(uids)) != 2:
        messages.error(request, f"Pick two drills to compare; {text.counted(len(set(uids)), 'drill')} came.")
        return redirect("rehearsals")
    drills = sorted((access.drill_for(request.user, uid) for uid in uids), key=lambda drill: drill.pk)
    one, other = (str(drill.uid) for drill in drills)
    return redirect(f"{reverse('rehearsal_compare')}?{urlencode({'a': one, 'b': other})}")


def _uid(request: HttpRequest, name: str) -> UUID | None:
    value = whole(request, name, "the name of a drill")
    return _read_uid(name, value) if value else None


def _read_uid(name: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise BadAddress(name, "the name of a drill") from None
