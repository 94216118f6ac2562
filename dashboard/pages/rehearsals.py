"""One rehearsal on a clone: its page, the part of it that changes, its log, its export, and cancelling it."""

from __future__ import annotations

import hashlib

from django.contrib import messages
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from dashboard import access
from dashboard.api.rehearsal_shapes import told_in_full
from dashboard.pages.query import address, number, reason, sent, word
from dashboard.pages.rehearsal_view import drawn_key, live_context, log_lines, page_context, version_parts
from dashboard.pages.verb import told
from dashboard.polls import poll
from migrations_app.permissions import may
from migrations_app.rehearsals.actions import cancel_rehearsal, request_rehearsal
from migrations_app.statuses import REHEARSAL_OPEN

MOST_LINES = 2000


@require_safe
def rehearsal(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.rehearsal_for(request.user, pk)
    return render(
        request, "rehearsals/rehearsal.html", {**live_context(request, found), **page_context(request, found)}
    )


def _version(request: HttpRequest, pk: int) -> str:
    """Without its lines for who may not read them."""
    found = access.rehearsal_for(request.user, pk)
    last = 0
    if may(request.user, "view_log"):
        last = access.rehearsal_log_for(request.user, found).order_by().aggregate(last=Max("seq"))["last"] or 0
    told_apart = f"{version_parts(found, last)}.{request.user.pk}"
    return f'"{hashlib.sha256(told_apart.encode()).hexdigest()[:20]}"'


@poll(_version)
def rehearsal_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The buttons are drawn anew only when they are others than those shown, so that none is lost under a finger."""
    found = access.rehearsal_for(request.user, pk)
    context = {**live_context(request, found), **page_context(request, found)}
    context["redraw_actions"] = word(request, "drawn") != drawn_key(found)
    return render(request, "rehearsals/live.html", context)


@require_safe
def rehearsal_log(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.rehearsal_for(request.user, pk, "view_log")
    after = number(request, "after", "the number of a line") or 0
    lines = log_lines(request, found, after, MOST_LINES + 1)
    more = len(lines) > MOST_LINES
    lines = lines[:MOST_LINES]
    context = {
        "rehearsal": found,
        "lines": lines,
        "after": after,
        "later_url": address(request, after=lines[-1].seq) if more else "",
        "first_url": address(request, after=None) if after else "",
    }
    return render(request, "rehearsals/log.html", context)


@require_safe
def rehearsal_export(request: HttpRequest, pk: int) -> HttpResponse:
    """The same as the API tells."""
    found = access.rehearsal_for(request.user, pk, "export")
    body = told_in_full(found, request.user).model_dump_json(indent=2)
    answer = HttpResponse(body + "\n", content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="rehearsal-{found.pk}.json"'
    return answer


@require_POST
def rehearsal_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.rehearsal_for(request.user, pk, "rehearse")
    with told(request):
        after = cancel_rehearsal(found, by=access.require(request.user, "rehearse"), reason=reason(request))
        asked = after.status in REHEARSAL_OPEN
        messages.success(request, "Cancel asked for: it stops between statements." if asked else "Cancelled.")
    return redirect("rehearsal", pk)


@require_POST
def environment_rehearse(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    """Try what is pending, or the way back, on a clone."""
    found = access.environment_for(request.user, service, environment, "rehearse")
    by = access.require(request.user, "rehearse")
    direction, to, on = sent(request, "direction"), sent(request, "to"), sent(request, "on") or "target"
    with told(request):
        asked = request_rehearsal(
            environment=found, direction=direction, to=to or None, by=by, reason=reason(request), ground=on
        )
        messages.success(request, f"Rehearsal {asked.pk} is queued.")
        return redirect("rehearsal", asked.pk)
    return redirect("environment", service, environment)
