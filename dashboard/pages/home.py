"""The front page: one verdict, what needs a person, what runs, where every environment stands."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard import access
from migrations_app.fleet.chain import list_services
from migrations_app.fleet.overview import fleet_verdict
from migrations_app.fleet.standing import reconciliation, standings
from migrations_app.permissions import may
from migrations_app.runs.attention import first_steps, needs_person, running_now

SHOWN = 40


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    services = list_services()
    rows = standings()
    verdict = fleet_verdict(rows, len(services))
    return render(
        request,
        "home/home.html",
        {
            "verdict": verdict,
            "reconciliation": reconciliation(rows),
            "needs": needs_person(),
            "running": running_now(),
            "rows": sorted(rows, key=lambda row: row.state == "in_step")[:SHOWN] if len(rows) > SHOWN else rows,
            "hidden": max(len(rows) - SHOWN, 0),
            "services": services,
            "steps": first_steps(services, rows),
            "may_edit": may(request.user, "edit_fleet"),
        },
    )
