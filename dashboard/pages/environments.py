"""One environment: where it stands, what a run would do, and the way to start it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import access
from dashboard.pages.environment_rehearsals import Rehearsed, look, newest_rehearsal, section_context, waiting_consent
from dashboard.pages.forms import EnvironmentForm, saved
from dashboard.pages.kept import Kept, fleet_version
from dashboard.pages.query import one_of, reason, word
from dashboard.pages.run_rollback import of_run
from dashboard.pages.start import DIRECTIONS, Asked, plan_words
from dashboard.pages.verb import told
from migrations_app.admission.door import Preview, preview
from migrations_app.engine.errors import Refused
from migrations_app.fleet.acceptance import accept_target
from migrations_app.fleet.chain import Targets, environment_targets
from migrations_app.fleet.environments import add_environment, check_target
from migrations_app.fleet.history import HistoryFilter, read_history
from migrations_app.fleet.lag import Lag, lag_of
from migrations_app.fleet.ledger import count_rows_from
from migrations_app.fleet.schema_now import SchemaNow, schema_now
from migrations_app.fleet.schema_view import brief_of
from migrations_app.fleet.standing import Standing, standings
from migrations_app.fleet.turn import turn_of
from migrations_app.permissions import may, needed_for, who_may
from migrations_app.reasons import SHORTEST_REASON
from migrations_app.runs.listing import RunRow, runs_of_environment
from migrations_app.statuses import HELD, OPEN

LAST_RECEIPTS = 6


@dataclass(frozen=True)
class _Looked:
    """What the page shows that changes only with the fleet's version, the place's own turn, and the minute."""

    plan: Preview | None
    refusal: Refused | None
    targets: Targets
    receipts: tuple[access.LedgerEntry, ...]
    runs: tuple[RunRow, ...]
    lag: Lag
    rehearsed: Rehearsed
    newest: access.Rehearsal | None
    waiting: access.RollbackConsent | None
    schema: SchemaNow


# For looking only: the run itself is admitted anew, in its own transaction.
LOOKED: Kept[_Looked] = Kept(200)


@require_safe
def environment(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    fleet = fleet_version(request)  # before the environment: what is kept under it is never older than it says
    found = access.environment_for(request.user, service, environment)
    now = timezone.now()
    asked = Asked(one_of(request, "direction", DIRECTIONS) or "up", word(request, "to"))
    version = f"{fleet} {turn_of(found.pk)} {now:%Y%m%d%H%M} {found.pk} {asked}"
    standing = standings(access.environments_for(request.user).filter(pk=found.pk))[0]
    looked = LOOKED.get(version, lambda: _look(request, found, standing, asked))
    plan = looked.plan
    return render(
        request,
        "services/environment.html",
        {
            "environment": found,
            "standing": standing,
            "direction": asked.direction,
            "to": asked.to,
            "of_run": of_run(request, found, asked.direction, asked.to),
            "plan": plan,
            "refusal": looked.refusal,
            "targets": looked.targets,
            "runs": looked.runs,
            "lag": looked.lag,
            "schema": brief_of(looked.schema, now),
            "waiting_consent": looked.waiting,
            "receipts": looked.receipts,
            "default_lock_window": settings.LOCKSTEP_LOCK_WINDOW_SECONDS,
            "may_run": may(request.user, "create_run"),
            "may_check": may(request.user, "control_run"),
            "runners": who_may("create_run"),
            "may_sql": may(request.user, "view_sql"),
            "sql_readers": who_may("view_sql"),
            "may_edit": may(request.user, "edit_fleet"),
            "editors": who_may("edit_fleet"),
            "needs_editor": needed_for("edit_fleet"),
            "needs_runner": needed_for("control_run"),
            "may_read_schema": may(request.user, "read_schema"),
            "needs_schema_reader": needed_for("read_schema"),
            "open_run": standing.run_id if standing.run_status in OPEN - HELD else None,
            "superseding": count_rows_from(found, found.differs_from) if found.differs_from else 0,
            "shortest_reason": SHORTEST_REASON,
            "rehearsed": looked.rehearsed,
            "measured": looked.rehearsed.measured,
            **section_context(request, found, standing, plan, looked.newest),
            **(plan_words(found, plan, asked) if plan else {}),
        },
    )


def _look(request: HttpRequest, environment: access.Environment, standing: Standing, asked: Asked) -> _Looked:
    only = HistoryFilter(service=environment.service.name, environment=environment.name)
    plan, refusal = _plan(environment, asked.direction, asked.to)
    return _Looked(
        plan,
        refusal,
        environment_targets(environment),
        read_history(only, LAST_RECEIPTS).rows,
        runs_of_environment(environment.pk),
        lag_of(environment, standing),
        look(environment, "down" if asked.direction == "down" else "up", plan),
        newest_rehearsal(request, environment),
        waiting_consent(request, environment),
        schema_now(environment),
    )


def _plan(environment: access.Environment, direction: str, to: str) -> tuple[Preview | None, Refused | None]:
    try:
        return preview(environment=environment, direction=direction, to=to or None), None
    except Refused as refusal:
        return None, refusal


@require_POST
def environment_check(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    """Read the target's receipts now and compare them with the ledger."""
    found = access.environment_for(request.user, service, environment, "control_run")
    with told(request):
        check_target(found)
        messages.success(request, f"{found.name} was compared with its target.")
    return redirect("environment", service, environment)


@require_POST
def environment_accept(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    """The target is right and the ledger begins anew; offered where the comparison found that they part."""
    found = access.environment_for(request.user, service, environment, "edit_fleet")
    with told(request):
        accept_target(environment=found, by=access.require(request.user, "edit_fleet"), reason=reason(request))
        messages.success(request, f"The ledger of {found.name} follows from its target's receipts again.")
    return redirect("environment", service, environment)


@require_http_methods(["GET", "HEAD", "POST"])
def environment_add(request: HttpRequest, service: str) -> HttpResponse:
    by = access.require(request.user, "edit_fleet")
    found = access.service_for(request.user, service)
    form = EnvironmentForm(request.POST or None)
    if form.is_valid() and saved(form, lambda: add_environment(service=found, by=by, **form.cleaned_data)):
        messages.success(request, f"Environment {form.cleaned_data['name']} is there.")
        return redirect("environment", found.name, form.cleaned_data["name"])
    context = {"form": form, "service": found}
    return render(request, "services/add_environment.html", context, status=422 if form.errors else 200)
