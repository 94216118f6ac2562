"""How one environment's schema stands: what differs, who did it, and what a person may decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from functools import wraps

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
from migrations_app.engine.errors import Refused
from migrations_app.fleet import drift as verbs
from migrations_app.fleet.production import is_called_production
from migrations_app.fleet.schema_view import View as SchemaView
from migrations_app.fleet.schema_view import view_of
from migrations_app.fleet.schema_words import Standing
from migrations_app.fleet.watching import unwatch, watch
from migrations_app.permissions import may, needed_for
from migrations_app.reasons import SHORTEST_REASON

# A verb's own part: it does one thing and says what was done.
Act = Callable[[HttpRequest, access.Environment, access.User], str]
View = Callable[[HttpRequest, str, str], HttpResponse]

WINDOW = 100


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


def _verbs(request: HttpRequest, environment: access.Environment, view: SchemaView) -> dict[str, object]:
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
        "shortest_reason": SHORTEST_REASON,
        "tomorrow": today + timedelta(days=1),
        "next_week": today + timedelta(days=7),
        "last_day": today + verbs.LONGEST_IGNORE - timedelta(days=1),
        "policy": next(word for word, blocks in verbs.POLICIES.items() if blocks is said),
        "by_stage": "blocks" if is_called_production(environment) else "does not block",
        "blocks": is_called_production(environment) if said is None else said,
        "half_done": view.brief.word.standing == Standing.HALF_DONE,
    }


def _decision(needs: str) -> Callable[[Act], View]:
    """The frame of a verb's address: who may, the verb, what became of it in words, and back to the page."""

    def frame(act: Act) -> View:
        @require_POST
        @wraps(act)
        def view(request: HttpRequest, service: str, environment: str) -> HttpResponse:
            found = access.environment_for(request.user, service, environment, needs)
            by = access.require(request.user, needs)
            with told(request):
                messages.success(request, act(request, found, by))
            return redirect("environment_schema", service, environment)

        return view

    return frame


@_decision("read_schema")
def environment_schema_read(request: HttpRequest, environment: access.Environment, by: access.User) -> str:
    verbs.look_now(environment=environment, by=by)
    return f"The schema of {environment.name} was read."


@_decision("decide_drift")
def environment_schema_ignore(request: HttpRequest, environment: access.Environment, by: access.User) -> str:
    until = _end_of_day(sent(request, "until"))
    verbs.ignore_drift(environment=environment, until=until, reason=reason(request), by=by)
    return f"The drift of {environment.name} is ignored until {until:%Y-%m-%d %H:%M} UTC."


@_decision("decide_drift")
def environment_schema_accept(request: HttpRequest, environment: access.Environment, by: access.User) -> str:
    verbs.accept_drift(environment=environment, found=sent(request, "found"), reason=reason(request), by=by)
    return f"What was found is what is expected of {environment.name} from now on."


@_decision("decide_drift")
def environment_schema_policy(request: HttpRequest, environment: access.Environment, by: access.User) -> str:
    chosen = sent(request, "policy")
    if chosen not in verbs.POLICIES:
        raise Refused(
            "bad_policy", "That is no choice.", not_done="Nothing was changed.", next_step="Choose one of the list."
        )
    verbs.set_policy(environment=environment, blocks=verbs.POLICIES[chosen], by=by)
    return f"Whether drift stops runs on {environment.name} was set."


@_decision("edit_fleet")
def environment_schema_watch(request: HttpRequest, environment: access.Environment, by: access.User) -> str:
    on = sent(request, "watch") == "on"
    (watch if on else unwatch)(environment=environment, by=by)
    return f"Event triggers were {'installed in' if on else 'removed from'} {environment.name}."


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
            "may_decide": may(request.user, "decide_drift"),
            "needs_decider": needed_for("decide_drift"),
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
