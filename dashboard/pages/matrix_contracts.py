"""Releases of one service against its environments: who would refuse to start."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.cursors import write
from dashboard.pages.choices import Choice
from dashboard.pages.contract_rows import draw_differences, draw_foot, draw_heads, draw_rows
from dashboard.pages.contract_words import headline, listed
from dashboard.pages.kept import Kept, fleet_version
from dashboard.pages.matrix_tabs import matrix_tabs
from dashboard.pages.query import address, numbered_place, word
from migrations_app.fleet.chain import service_names
from migrations_app.permissions import may, needed_for
from migrations_app.releases.contracts import Fit, read_contracts


@dataclass(frozen=True)
class Drawn:
    """What the page shows of one service; the same for every reader."""

    headline: str
    releases: int
    environments: int
    refused: int
    unknown: bool
    running: tuple[str, ...]
    newest_schema_rev: str
    older: int | None
    heads: SafeString
    rows: SafeString
    foot: SafeString
    differences: SafeString


# A release is registered with an audit entry, and a revision changes the chain: the fleet's version knows of both.
DRAWN: Kept[Drawn] = Kept(16)


@require_safe
def matrix_contracts(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    version = fleet_version(request)  # first: what is kept under it is never older than it says
    names = service_names()
    asked = word(request, "service")
    if not asked and not names:
        return render(request, "fleet/matrix_empty.html")
    service = access.service_for(request.user, asked or names[0])
    of = f"contracts of {service.pk}"
    before = numbered_place(request, "after", of)
    drawn = DRAWN.get(f"{version} {service.pk} {before}", lambda: _draw(service, before))
    context = {
        "service": service.name,
        "tabs": matrix_tabs("matrix_contracts", service.name),
        "services": [
            Choice(name, f"{reverse('matrix_contracts')}?{urlencode({'service': name})}", name == service.name)
            for name in names
        ],
        "drawn": drawn,
        "command": _command(service.name, drawn, access.require(request.user, "view").get_username()),
        "may_register": may(request.user, "register_release"),
        "needed": needed_for("register_release"),
        "older_url": address(request, after=write(of, drawn.older)) if drawn.older is not None else "",
        "newest_url": address(request, after=None) if before is not None else "",
    }
    return render(request, "fleet/matrix_contracts.html", context)


def _draw(service: access.Service, before: int | None) -> Drawn:
    found = read_contracts(service, before)
    fits = [cell.fit for row in found.rows for cell in row.cells]
    return Drawn(
        headline=headline(found),
        releases=len(found.rows),
        environments=len(found.places),
        refused=fits.count(Fit.REFUSES),
        unknown=Fit.UNKNOWN in fits,
        running=tuple(place.name for place in found.places if place.running),
        newest_schema_rev=found.newest_schema_rev,
        older=found.older,
        heads=draw_heads(service.name, found.places),
        rows=draw_rows(service.name, found.rows),
        foot=draw_foot(found.places),
        differences=draw_differences(service.name, listed(found)),
    )


def _command(service: str, drawn: Drawn, user: str) -> str:
    """What registers a release, with what is known filled in."""
    schema_rev = shlex.quote(drawn.newest_schema_rev) if drawn.newest_schema_rev else "SCHEMA_REV"
    return f"manage.py release register {service} RELEASE --schema-rev {schema_rev} --as {shlex.quote(user)}"
