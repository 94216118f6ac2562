"""The list of runs, what of it changes while one looks, its histogram, and cancelling queued runs together."""

from __future__ import annotations

import re

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_safe

from dashboard import access
from dashboard.cursors import write
from dashboard.pages.kept import Kept, page_version
from dashboard.pages.query import BadAddress, address, number, reason, word
from dashboard.pages.run_filter import DIRECTIONS, PAGING, TIMES, in_force, read_filter, saved_views
from dashboard.pages.run_rows import draw_rows
from dashboard.pages.verb import told
from dashboard.polls import poll
from dashboard.templatetags.states import state_of
from migrations_app.fleet.chain import environment_names, service_names
from migrations_app.permissions import may
from migrations_app.runs import actions
from migrations_app.runs.histogram import histogram
from migrations_app.runs.listing import MOST_NEWER, WINDOW, count_newer, hiding, page_of_runs, rows_of
from migrations_app.runs.pulse import Pulse, pulse
from migrations_app.statuses import RunStatus

_IDS = re.compile(r"\d{1,18}(?:\.\d{1,18})*\Z")
MOST_CANCELLED = 200
PAGES: Kept[SafeString] = Kept(40)


@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    now = pulse()
    content = PAGES.get(f"{page_version(request)} {now.key} {request.user.pk}", lambda: _page(request, now))
    return render(request, "runs/list.html", {"content": content})


def _page(request: HttpRequest, now: Pulse) -> SafeString:
    wanted = read_filter(request)
    page = page_of_runs(request.user, wanted)
    first = wanted.before is None and wanted.after is None
    narrowed = in_force(request, wanted)
    pick = may(request.user, "control_run") and any(row.status == RunStatus.QUEUED for row in page.rows)
    return render_to_string(
        "runs/_list_page.html",
        {
            "wanted": wanted,
            "asked": request.GET,
            "views": saved_views(request),
            "narrowed": narrowed.values(),
            "hiding": ()
            if page.rows
            else [narrowed[name] for name in hiding(request.user, wanted) if name in narrowed],
            "services": service_names(),
            "environments": environment_names(wanted.service),
            "statuses": [(value, state_of(value).word) for value in RunStatus.values],
            "directions": DIRECTIONS.items(),
            "times": [(value, words) for value, (words, _) in TIMES.items()],
            "rows": page.rows,
            "drawn": draw_rows(page.rows, pick=pick),
            "pick": pick,
            "pulse": now,
            "live_url": _live_url(request, [row.id for row in page.rows], now, first),
            "histogram_url": f"{reverse('run_histogram')}?{_query(request)}",
            **(_chart(request) if word(request, "chart") else {}),
            "chart_url": address(request, chart=1) + "#over-time",
            "older_url": address(request, before=write("runs before", page.older), after=None) if page.older else "",
            "newer_url": address(request, after=write("runs after", page.newer), before=None) if page.newer else "",
            "newest_url": "" if first else address(request, **dict.fromkeys(PAGING)),
            "clear_url": request.path,
        },
    )


def _query(request: HttpRequest, *dropped: str) -> str:
    """The filters alone."""
    kept = request.GET.copy()
    for name in (*PAGING, "shown", "than", *dropped):
        kept.pop(name, None)
    return kept.urlencode()


def _live_url(request: HttpRequest, ids: list[int], now: Pulse, first: bool) -> str:
    """`than`: newer rows are counted on the first page alone, from the newest run there was when it was drawn."""
    shown = ".".join(map(str, ids))
    than = f"&than={now.newest}" if first else ""
    return f"{reverse('run_list_live')}?{_query(request)}&shown={shown}{than}"


def _version(request: HttpRequest) -> str:
    access.require(request.user, "view")
    return f'"{pulse().key}.{request.user.pk}"'


@poll(_version)
def run_list_live(request: HttpRequest) -> HttpResponse:
    """The rows that are shown, as they stand now, and how many came since; the page stays where it is."""
    wanted = read_filter(request)
    rows = rows_of(_shown(request))
    than = number(request, "than", "the number of a run")
    newer = count_newer(request.user, wanted, than) if than is not None else 0
    kept = _query(request)
    return render(
        request,
        "runs/list_live.html",
        {
            "drawn": draw_rows(rows, pick=may(request.user, "control_run")),
            "pulse": pulse(),
            "newer": f"{MOST_NEWER}+" if newer > MOST_NEWER else newer,
            "newest_url": f"{reverse('runs')}?{kept}" if kept else reverse("runs"),
        },
    )


def _shown(request: HttpRequest) -> list[int]:
    value = word(request, "shown") if len(request.GET.get("shown", "")) <= 200 else request.GET["shown"]
    if not value:
        return []
    if not _IDS.match(value) or value.count(".") >= WINDOW * 2:
        raise BadAddress("shown", "a list of runs")
    return [int(part) for part in value.split(".")]


@poll(_version)
def run_histogram(request: HttpRequest) -> HttpResponse:
    return render(request, "runs/_histogram.html", _chart(request))


def _chart(request: HttpRequest) -> dict[str, object]:
    """`kept` goes on with each bar: the filters, but not the time they were drawn for."""
    chart = histogram(request.user, read_filter(request).unpaged())
    return {"chart": chart, "kept": _query(request, "time", "since", "until")}


@require_http_methods(["GET", "HEAD", "POST"])
def run_cancel_many(request: HttpRequest) -> HttpResponse:
    """Queued runs only. The list that was shown comes back with the form; what started meanwhile is left alone."""
    by = access.require(request.user, "control_run")
    rows = rows_of(_picked(request))
    queued = [row for row in rows if row.status == RunStatus.QUEUED]
    typed = request.POST.get("typed", "").strip()
    wanted = f"cancel {len(queued)}"
    wrong = ""
    if request.method == "POST" and queued:
        if typed.lower() == wanted:
            with told(request):
                done = actions.cancel_queued([row.id for row in queued], by=by, reason=reason(request))
                messages.success(request, _outcome(done, rows=len(rows)))
            return redirect("runs")
        wrong = f"“{typed}” was typed, not “{wanted}”. Nothing was cancelled."
    context = {
        "queued": queued,
        "started": [row for row in rows if row.status != RunStatus.QUEUED],
        "drawn": draw_rows(queued),
        "typed": wanted,
        "reason": reason(request),
        "wrong": wrong,
    }
    return render(request, "runs/cancel_many.html", context, status=422 if wrong else 200)


def _picked(request: HttpRequest) -> list[int]:
    values = (request.POST if request.method == "POST" else request.GET).getlist("run")
    if len(values) > MOST_CANCELLED or not all(_IDS.match(value) and "." not in value for value in values):
        raise BadAddress("run", f"the number of a run, {MOST_CANCELLED} of them at most")
    return [int(value) for value in values]


def _outcome(cancelled: int, rows: int) -> str:
    left = rows - cancelled
    told = f"Cancelled {cancelled} queued run{'s' if cancelled != 1 else ''}."
    return f"{told} {left} had started meanwhile and {'was' if left == 1 else 'were'} left alone." if left else told
