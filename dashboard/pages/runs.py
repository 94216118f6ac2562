"""Runs: the list, one run live, its log, and the verbs on it."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_POST, require_safe

from dashboard import access
from dashboard.pages.choices import Choice, choices
from dashboard.pages.query import address, number, reason, word
from dashboard.pages.run_view import LOG_LEVELS, run_context
from dashboard.pages.verb import told
from migrations_app.fleet.chain import environment_names, service_names
from migrations_app.permissions import may
from migrations_app.runs import actions
from migrations_app.runs.detail import is_over, log_after, log_lines, log_tail, step_window
from migrations_app.runs.listing import RunFilter, list_runs
from migrations_app.runs.offers import drawn_key

RAW_CHUNK = 2000
SAVED_VIEWS = (("", "all"), ("open", "open"), ("needs", "needs a person"), ("failed", "failed"), ("done", "ended"))
VERBS = {"pause": actions.pause, "resume": actions.resume, "cancel": actions.cancel}
ANSWERS = {
    "pause": "Pause asked for: the run rests after the statement in progress.",
    "resume": "Resumed: the run is queued and goes on after its last recorded step.",
    "cancel": "Cancel asked for: what has its receipt stays applied.",
}


@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    wanted = RunFilter(
        service=word(request, "service"),
        environment=word(request, "environment"),
        view=word(request, "view"),
        mine=bool(word(request, "mine")),
        before=number(request, "before", most=2**63 - 1),
    )
    page = list_runs(request.user, wanted)
    return render(
        request,
        "runs/list.html",
        {
            "wanted": wanted,
            "views": _saved_views(request, wanted),
            "services": service_names(),
            "environments": environment_names(wanted.service),
            "rows": page.rows,
            "older_url": address(request, before=page.older) if page.older else "",
            "newest_url": address(request, before=None) if wanted.before else "",
            "clear_url": request.path,
            "services_url": reverse("services"),
        },
    )


def _saved_views(request: HttpRequest, wanted: RunFilter) -> list[Choice]:
    views = choices(request, "view", wanted.view, SAVED_VIEWS, before=None)
    mine = Choice("mine", address(request, mine=None if wanted.mine else 1, before=None), wanted.mine)
    return [*views, mine]


@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.run_for(request.user, pk)
    log = log_tail(found) if may(request.user, "view_log") else None
    steps = step_window(found, everything=word(request, "steps") == "all")
    return render(request, "runs/run.html", {**run_context(request, found, steps), "log": log})


def _version(request: HttpRequest, pk: int) -> str:
    found = access.run_for(request.user, pk)
    return f'"{found.pk}.{found.version}.{drawn_key(found)}.{request.user.pk}"'


@require_safe
@cache_control(private=True, no_cache=True)
@condition(etag_func=_version)
def run_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes. Buttons are drawn anew only when they differ from what is shown."""
    found = access.run_for(request.user, pk)
    context = run_context(request, found, step_window(found, everything=False))
    context["redraw_actions"] = word(request, "drawn") != drawn_key(found)
    return render(request, "runs/live.html", context)


@require_safe
def run_log_tail(request: HttpRequest, pk: int) -> HttpResponse:
    """New lines, and the element that asks for the next ones; 204 leaves the page as it is."""
    found = access.run_for(request.user, pk, "view_log")
    log = log_after(found, number(request, "after", most=2**63 - 1) or 0)
    if not log.lines and not is_over(found):
        return HttpResponse(status=204)
    return render(request, "runs/_lines.html", {"run": found, "log": log, "over": is_over(found) and not log.more})


@require_safe
def run_log(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.run_for(request.user, pk, "view_log")
    after, level = number(request, "after", most=2**63 - 1) or 0, word(request, "level")
    log = log_after(found, after, window=2000, levels=LOG_LEVELS.get(level))
    return render(
        request,
        "runs/log.html",
        {
            "run": found,
            "log": log,
            "levels": choices(
                request, "level", level, (("", "all"), ("warning", "warnings"), ("error", "errors only")), after=None
            ),
            "all_url": request.path,
            "more_url": address(request, after=log.after) if log.more else "",
        },
    )


@require_safe
def run_log_raw(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    found = access.run_for(request.user, pk, "view_log")

    def text() -> Iterator[str]:
        for line in log_lines(found, RAW_CHUNK):
            yield f"{line.seq}\t{line.at.isoformat()}\t{line.level}\t{line.message}\n"

    answer = StreamingHttpResponse(text(), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'inline; filename="run-{found.pk}.log"'
    return answer


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
