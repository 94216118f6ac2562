"""What a list of runs is asked for: read from the address, told back as chips, and the saved views as links."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone

from dashboard.pages.choices import Choice
from dashboard.pages.query import address, moment, numbered_place, one_of, word
from dashboard.templatetags import text
from dashboard.templatetags.states import state_of
from migrations_app.runs.listing import PAGE_VIEWS, RunFilter
from migrations_app.statuses import RunStatus

TIMES = {
    "1h": ("the last hour", timedelta(hours=1)),
    "24h": ("the last 24 h", timedelta(hours=24)),
    "7d": ("the last 7 days", timedelta(days=7)),
    "30d": ("the last 30 days", timedelta(days=30)),
    "365d": ("the last year", timedelta(days=365)),
}
DIRECTIONS = {"up": "apply", "down": "roll back"}
VIEW_WORDS = {
    "open": "open",
    "awaiting": "awaiting a person",
    "stuck": "stuck: lease older than 30 s",
    "needs": "paused, undecided or failed",
    "failed": "failed",
    "done": "ended",
}
# What a change of filter makes meaningless.
PAGING = ("before", "after", "chart")


def read_filter(request: HttpRequest) -> RunFilter:
    """Raises BadAddress where the address was spoilt."""
    time = one_of(request, "time", TIMES)
    since = timezone.now() - TIMES[time][1] if time else moment(request, "since")
    return RunFilter(
        service=word(request, "service"),
        environment=word(request, "environment"),
        view=one_of(request, "view", PAGE_VIEWS),
        mine=bool(word(request, "mine")),
        production=bool(word(request, "production")),
        status=one_of(request, "status", RunStatus.values),
        direction=one_of(request, "direction", DIRECTIONS),
        by=word(request, "by"),
        revision=word(request, "revision"),
        since=since,
        until=moment(request, "until"),
        before=numbered_place(request, "before", "runs before"),
        after=numbered_place(request, "after", "runs after"),
    )


def saved_views(request: HttpRequest) -> list[Choice]:
    """Each is a whole question; only the service and the environment stay as they were chosen."""
    me = request.user.get_username()
    views: list[tuple[str, dict[str, str]]] = [
        ("all", {}),
        ("mine", {"by": me}),
        ("production, 24 h", {"production": "1", "time": "24h"}),
        *(
            (VIEW_WORDS[name].partition(":")[0], {"view": name})
            for name in ("awaiting", "stuck", "open", "failed", "done")
        ),
    ]
    kept = {name: request.GET[name] for name in ("service", "environment") if request.GET.get(name)}
    asked = {name: value for name, value in request.GET.items() if value and name not in (*kept, *PAGING)}
    return [
        Choice(label, f"{request.path}?{urlencode(kept | query)}" if kept or query else request.path, asked == query)
        for label, query in views
    ]


def in_force(request: HttpRequest, wanted: RunFilter) -> dict[str, Choice]:
    """By the filter's name: its words, and the address without it."""
    words = {
        "service": f"service {wanted.service}",
        "environment": f"environment {wanted.environment}",
        "view": VIEW_WORDS.get(wanted.view) or state_of(wanted.view).word.lower(),
        "mine": "asked for by me",
        "production": "production",
        "status": state_of(wanted.status).word.lower(),
        "direction": DIRECTIONS.get(wanted.direction, ""),
        "by": f"requested by {wanted.by}",
        "revision": f"revision {wanted.revision}…",
        "since": _since_words(request, wanted),
        "until": f"until {text.utc(wanted.until)}" if wanted.until else "",
    }
    off = {"since": ("since", "time")}
    return {
        name: Choice(label, address(request, **dict.fromkeys((*off.get(name, (name,)), *PAGING))), True)
        for name, label in words.items()
        if getattr(wanted, name)
    }


def _since_words(request: HttpRequest, wanted: RunFilter) -> str:
    time = word(request, "time")
    if time in TIMES:
        return TIMES[time][0]
    return f"since {text.utc(wanted.since)}" if wanted.since else ""
