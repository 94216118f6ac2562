"""How one environment's schema stands: what differs, who did it, and what a person may decide."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST, require_safe

from dashboard import access
from dashboard.cursors import write
from dashboard.pages.query import address, numbered_place, one_of, reason, sent
from dashboard.pages.verb import told
from migrations_app.fleet import drift as verbs
from migrations_app.fleet.production import is_called_production
from migrations_app.fleet.schema_view import View, view_of
from migrations_app.fleet.schema_words import Standing
from migrations_app.fleet.watching import unwatch, watch
from migrations_app.permissions import may, needed_for

WINDOW = 100
POLICIES = {"stage": None, "block": True, "let": False}


@require_safe
def environment_schema(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    found = access.environment_for(request.user, service, environment)
    view = view_of(found, timezone.now())
    drift = view.brief.drift
    of = f"differences of {drift.pk if drift else 0} {drift.found_id if drift else ''}"
    first = numbered_place(request, "after", of) or 0
    more = first + WINDOW < len(view.differences)
    context = {
        "environment": found,
        "view": view,
        "state": view.brief.state,
        "drift": drift,
        "word": view.brief.word,
        "rows": view.differences[first : first + WINDOW],
        "older_url": address(request, after=write(of, first + WINDOW)) if more else "",
        "newest_url": address(request, after=None) if first else "",
        **_verbs(request, found, view),
    }
    return render(request, "services/schema.html", context)


def _verbs(request: HttpRequest, environment: access.Environment, view: View) -> dict[str, object]:
    """What may be done here by whom, and the words that are chosen among."""
    today = timezone.now().date()
    state = view.brief.state
    said = state.drift_blocks if state else None
    return {
        "may_read": may(request.user, "read_schema"),
        "needs_reader": needed_for("read_schema"),
        "may_decide": may(request.user, "decide_drift"),
        "needs_decider": needed_for("decide_drift"),
        "may_sql": may(request.user, "view_sql"),
        "needs_sql": needed_for("view_sql"),
        "may_edit": may(request.user, "edit_fleet"),
        "needs_editor": needed_for("edit_fleet"),
        "shortest_reason": verbs.SHORTEST_REASON,
        "tomorrow": today + timedelta(days=1),
        "next_week": today + timedelta(days=7),
        "last_day": today + verbs.LONGEST_IGNORE - timedelta(days=1),
        "policy": next(word for word, blocks in POLICIES.items() if blocks is said),
        "by_stage": "blocks" if is_called_production(environment) else "does not block",
        "blocks": is_called_production(environment) if said is None else said,
        "half_done": view.brief.word.standing == Standing.HALF_DONE,
    }


@require_POST
def environment_schema_read(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    found = access.environment_for(request.user, service, environment, "read_schema")
    with told(request):
        verbs.look_now(environment=found, by=access.require(request.user, "read_schema"))
        messages.success(request, f"The schema of {found.name} was read.")
    return redirect("environment_schema", service, environment)


@require_POST
def environment_schema_ignore(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    found = access.environment_for(request.user, service, environment, "decide_drift")
    by = access.require(request.user, "decide_drift")
    with told(request):
        until = _end_of_day(sent(request, "until"))
        verbs.ignore_drift(environment=found, until=until, reason=reason(request), by=by)
        messages.success(request, f"The drift of {found.name} is ignored until {until:%Y-%m-%d %H:%M} UTC.")
    return redirect("environment_schema", service, environment)


@require_POST
def environment_schema_accept(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    found = access.environment_for(request.user, service, environment, "decide_drift")
    by = access.require(request.user, "decide_drift")
    with told(request):
        verbs.accept_drift(environment=found, found=sent(request, "found"), reason=reason(request), by=by)
        messages.success(request, f"What was found is what is expected of {found.name} from now on.")
    return redirect("environment_schema", service, environment)


@require_POST
def environment_schema_policy(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    found = access.environment_for(request.user, service, environment, "decide_drift")
    by = access.require(request.user, "decide_drift")
    chosen = sent(request, "policy")
    if chosen not in POLICIES:
        messages.error(request, "That is no choice. Nothing was changed.")
    else:
        verbs.set_policy(environment=found, blocks=POLICIES[chosen], by=by)
        messages.success(request, f"Whether drift stops runs on {found.name} was set.")
    return redirect("environment_schema", service, environment)


@require_POST
def environment_schema_watch(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    found = access.environment_for(request.user, service, environment, "edit_fleet")
    by = access.require(request.user, "edit_fleet")
    on = sent(request, "watch") == "on"
    with told(request):
        (watch if on else unwatch)(environment=found, by=by)
        messages.success(request, f"Event triggers were {'installed in' if on else 'removed from'} {found.name}.")
    return redirect("environment_schema", service, environment)


@require_safe
def environment_schema_draft(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    """SQL for a person to finish: the drift as a revision, or what takes it back."""
    found = access.environment_for(request.user, service, environment, "view_sql")
    way = one_of(request, "way", ("adopt", "revert")) or "adopt"
    with told(request):
        drift = verbs.standing(found)
        drafted = verbs.draft_adoption(drift) if way == "adopt" else verbs.draft_revert(drift)
        context = {
            "environment": found,
            "drift": drift,
            "way": way,
            "draft": drafted,
            "other_url": address(request, way="revert" if way == "adopt" else "adopt"),
            "may_upload": may(request.user, "upload_revision"),
            "needs_uploader": needed_for("upload_revision"),
        }
        return render(request, "services/schema_draft.html", context)
    return redirect("environment_schema", service, environment)


def _end_of_day(text: str) -> datetime:
    """In UTC; a word that is no date is a moment that has passed, which the verb refuses."""
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    return datetime.combine(day, time(23, 59), UTC) if day else datetime(2000, 1, 1, tzinfo=UTC)
