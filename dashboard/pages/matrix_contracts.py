"""Releases of one service against its environments: who would refuse to start."""

from __future__ import annotations

import shlex
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.cursors import write
from dashboard.pages.choices import Choice
from dashboard.pages.contract_words import headline, listed
from dashboard.pages.matrix_tabs import matrix_tabs
from dashboard.pages.query import address, numbered_place, word
from migrations_app.fleet.chain import service_names
from migrations_app.permissions import may, needed_for
from migrations_app.releases.contracts import Contracts, Fit, read_contracts


@require_safe
def matrix_contracts(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    names = service_names()
    asked = word(request, "service")
    if not asked and not names:
        return render(request, "fleet/matrix_empty.html")
    service = access.service_for(request.user, asked or names[0])
    of = f"contracts of {service.pk}"
    before = numbered_place(request, "after", of)
    found = read_contracts(service, before)
    context = {
        "service": service.name,
        "tabs": matrix_tabs("matrix_contracts", service.name),
        "services": [
            Choice(name, f"{reverse('matrix_contracts')}?{urlencode({'service': name})}", name == service.name)
            for name in names
        ],
        "headline": headline(found),
        "found": found,
        "listed": listed(found),
        "refused": sum(cell.fit == Fit.REFUSES for row in found.rows for cell in row.cells),
        "unknown": any(cell.fit == Fit.UNKNOWN for row in found.rows for cell in row.cells),
        "running": [place.name for place in found.places if place.running],
        "command": _command(service.name, found, access.require(request.user, "view").get_username()),
        "may_register": may(request.user, "register_release"),
        "needed": needed_for("register_release"),
        "older_url": address(request, after=write(of, found.older)) if found.older is not None else "",
        "newest_url": address(request, after=None) if before is not None else "",
    }
    return render(request, "fleet/matrix_contracts.html", context)


def _command(service: str, found: Contracts, user: str) -> str:
    """What registers a release, with what is known filled in."""
    schema_rev = shlex.quote(found.newest_schema_rev) if found.newest_schema_rev else "SCHEMA_REV"
    return f"manage.py release register {service} RELEASE --schema-rev {schema_rev} --as {shlex.quote(user)}"
