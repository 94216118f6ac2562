"""A run's log: in windows, by level and word, live while the run is, and as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.banners import HEADER, banners_for, key_of
from dashboard.pages.choices import Choice
from dashboard.pages.log_lines import draw_lines
from dashboard.pages.query import BadAddress, number, word
from dashboard.pages.run_view import count_anew
from migrations_app.permissions import who_may
from migrations_app.runs.detail import is_over, queued_ms
from migrations_app.runs.loglines import (
    LEVELS,
    TAIL,
    WINDOW,
    LogQuery,
    LogWindow,
    failed_steps,
    log_lines,
    plain,
    read_log,
)
from migrations_app.runs.queueing import place_of

RAW_CHUNK = 2000
_RANGE = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?\Z")


def read_query(request: HttpRequest) -> LogQuery:
    """Raises BadAddress where the address was spoilt."""
    levels = tuple(dict.fromkeys(request.GET.getlist("level")))
    if any(level not in LEVELS for level in levels):
        raise BadAddress("level", f"one of {', '.join(LEVELS)}")
    return LogQuery(
        levels=levels,
        text=word(request, "q"),
        after=number(request, "after", "the number of a line"),
        before=number(request, "before", "the number of a line"),
        lines=_range(request),
    )


def _range(request: HttpRequest) -> tuple[int, int] | None:
    value = request.GET.get("lines", "")
    if not value:
        return None
    found = _RANGE.match(value)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 0 < first <= last:
        raise BadAddress("lines", "a line or a range of lines such as 120-140")
    return first, last


def log_context(
    run: access.Run, query: LogQuery, path: str, size: int = WINDOW, *, head: bool = False
) -> dict[str, object]:
    """What the panel of the run's page and the page of the whole log have in common; that one's `head` follows too."""
    log = read_log(run, query, size)
    live = not is_over(run) and not log.more
    place = "" if head else "#log-title"  # beside other things the log has to be come back to
    return {
        "log": log,
        "query": query,
        "drawn_lines": _draw(run, log, query),
        "levels": _levels(query, path, place),
        "errors_url": _url(path, LogQuery(levels=("error",), text=query.text)) + place,
        "all_url": path + place,
        "tail_url": _tail_url(run, log, query, head=head) if live else "",
        "raw_url": reverse("run_log_raw", args=[run.pk]),
        "most": WINDOW,
    }


def _draw(run: access.Run, log: LogWindow, query: LogQuery) -> str:
    failed = failed_steps(run) if log.lines else set()
    return draw_lines(log.lines, text=query.text, picked=query.lines, failed=failed)


def _levels(query: LogQuery, path: str, place: str) -> list[Choice]:
    """Each level can be added or taken away; none of them means all."""
    return [
        Choice(
            level,
            _url(
                path,
                LogQuery(
                    levels=tuple(one for one in LEVELS if (one in query.levels) != (one == level)), text=query.text
                ),
            )
            + place,
            level in query.levels,
        )
        for level in LEVELS
    ]


def _url(path: str, query: LogQuery) -> str:
    asked = [*(("level", level) for level in query.levels), *([("q", query.text)] if query.text else [])]
    return f"{path}?{urlencode(asked)}" if asked else path


def _tail_url(run: access.Run, log: LogWindow, query: LogQuery, *, head: bool) -> str:
    base = _url(reverse("run_log_tail", args=[run.pk]), query)
    drawn = f"&head={_head_key(run)}" if head else ""
    return f"{base}{'&' if '?' in base else '?'}after={log.after}{drawn}"


def _head_key(run: access.Run) -> str:
    return f"{run.status}.{run.log_seq}"


@require_safe
def run_log(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.run_for(request.user, pk, "view_log")
    query = read_query(request)
    count_anew(request, found)
    context = log_context(found, query, request.path, head=True)
    log = context["log"]
    assert isinstance(log, LogWindow)
    here = _url(request.path, query)
    joined = f"{here}{'&' if '?' in here else '?'}"
    return render(
        request,
        "runs/log.html",
        {
            "run": found,
            "count": _count(found, log),
            "over": is_over(found),
            "log_readers": who_may("view_log"),
            **context,
            "place": None if log.lines else place_of(found),
            "queued": queued_ms(found, timezone.now()),
            "earlier_url": f"{joined}before={log.first}" if log.earlier and log.lines else "",
            "more_url": f"{joined}after={log.after}" if log.more else "",
            "end_url": here if not query.at_end else "",
        },
    )


def _count(run: access.Run, log: LogWindow) -> int:
    """Lines may have come since the run was read."""
    return max(run.log_seq, log.after if log.lines else 0)


@require_safe
def run_log_tail(request: HttpRequest, pk: int) -> HttpResponse:
    """New lines, and the element that asks for the next ones; 204 leaves the page as it is.

    The page of the whole log has no other poll: it brings the `head` that it shows, and is told what a poll tells.
    Where that page is full and its reader far from the end it wants no lines, only how the run stands: `rest`.
    """
    found = access.run_state_for(request.user, pk, "view_log")
    head = word(request, "head")
    answer = _tail(request, found, head)
    if head:
        count_anew(request, found)
        answer[HEADER] = key_of(request, banners_for(request))
    return answer


def _tail(request: HttpRequest, found: access.Run, head: str) -> HttpResponse:
    query = read_query(request)
    if word(request, "rest"):
        log = LogWindow((), query.after or 0, earlier=True, more=True)
    else:
        log = read_log(found, query if query.after is not None else LogQuery(query.levels, query.text, after=0), TAIL)
    over = is_over(found) and not log.more
    if not log.lines and not over and head in ("", _head_key(found)):
        return HttpResponse(status=204)
    return render(
        request,
        "runs/log_tail.html",
        {
            "run": found,
            "log": log,
            "query": query,
            "drawn_lines": _draw(found, log, query),
            "tail_url": "" if over else _tail_url(found, log, query, head=bool(head)),
            "head": head,
            "count": _count(found, log),
            "over": is_over(found),
        },
    )


@require_safe
def run_log_raw(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    found = access.run_for(request.user, pk, "view_log")

    def text() -> Iterator[str]:
        for line in log_lines(found, RAW_CHUNK):
            yield f"{line.seq}\t{line.at.isoformat()}\t{line.level}\t{'; '.join(plain(line.message).splitlines())}\n"

    answer = StreamingHttpResponse(text(), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'inline; filename="run-{found.pk}.log"'
    return answer
