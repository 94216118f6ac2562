"""Schemas of one service side by side: who has the same, which objects differ, and each of these as a page."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.cursors import write
from dashboard.pages.choices import Choice, choices
from dashboard.pages.kept import Kept
from dashboard.pages.matrix_tabs import matrix_tabs
from dashboard.pages.parity_words import beside, headline, object_headline, variant_sentence
from dashboard.pages.query import BadAddress, address, number, numbered_place, one_of, word
from migrations_app.fleet.chain import service_names
from migrations_app.fleet.parity import (
    Compared,
    Depth,
    Differing,
    Major,
    Parity,
    against_first,
    compare_groups,
    read_parity,
)
from migrations_app.permissions import may, needed_for

WINDOW = 100
DEPTHS = (
    (Depth.SHAPE, "Objects"),
    (Depth.PRIVILEGES, "With privileges, owners and comments"),
    (Depth.EXACT, "And order of columns"),
)
# Under the groups and the rules: computed once for as long as no environment changes its group or its head.
COMPARED: Kept[Compared] = Kept(24)


@require_safe
def matrix_schema(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    names = service_names()
    asked = word(request, "service")
    if not asked and not names:
        return render(request, "fleet/matrix_empty.html")
    service = access.service_for(request.user, asked or names[0])
    parity, major = _asked(request, service)
    compared = _compared(parity, major)
    of = f"schema objects of {service.pk}"
    first = numbered_place(request, "after", of) or 0
    shown = compared.objects[first : first + WINDOW]
    more = first + WINDOW < len(compared.objects)
    context = {
        "service": service.name,
        "tabs": matrix_tabs("matrix_schema", service.name),
        "services": _services(names, service.name),
        "depths": choices(request, "depth", parity.depth, [(d.value, text) for d, text in DEPTHS], after=None),
        "majors": _majors(request, parity, major),
        "parity": parity,
        "major": major,
        "headline": headline(parity, major, compared),
        "beside": beside(parity, major, compared),
        "compared": compared,
        "rows": [(one, _object_url(service.name, parity, major, one)) for one in shown],
        "older_url": address(request, after=write(of, first + WINDOW)) if more else "",
        "newest_url": address(request, after=None) if first else "",
    }
    return render(request, "fleet/matrix_schema.html", context)


@require_safe
def matrix_schema_object(request: HttpRequest) -> HttpResponse:
    """One object: who has which variant, and each beside the commonest."""
    service = access.service_for(request.user, word(request, "service"))
    parity, major = _asked(request, service)
    # Names may be longer than the words of other addresses.
    kind, name = (request.GET.get(part, "").replace("\x00", "")[:1000] for part in ("kind", "name"))
    found = next((one for one in _compared(parity, major).objects if (one.kind, one.name) == (kind, name)), None)
    if found is None or major is None:
        raise Http404("No such object differs between these environments now.")
    pairs = against_first(found)
    context = {
        "service": service.name,
        "major": major,
        "object": found,
        "headline": object_headline(found),
        "pairs": [(variant_sentence(difference, variant.names), difference) for variant, difference in pairs],
        "may_sql": may(request.user, "view_sql"),
        "needs_reader": needed_for("view_sql"),
        "back_url": _back_url(service.name, parity, major),
    }
    return render(request, "fleet/matrix_schema_object.html", context)


def _asked(request: HttpRequest, service: access.Service) -> tuple[Parity, Major | None]:
    depth = Depth(one_of(request, "depth", [depth.value for depth in Depth if depth]))
    wanted = number(request, "major", "a major version of PostgreSQL that is compared here")
    parity = read_parity(service, depth, timezone.now())
    major = parity.major(wanted)
    if wanted is not None and major is None:
        raise BadAddress("major", "a major version of PostgreSQL that is compared here")
    return parity, major


def _compared(parity: Parity, major: Major | None) -> Compared:
    if major is None:
        return Compared()
    return COMPARED.get(f"{major.number} {parity.version}", lambda: compare_groups(major, parity.depth))


def _services(names: Sequence[str], chosen: str) -> list[Choice]:
    page = reverse("matrix_schema")
    return [Choice(name, f"{page}?{urlencode({'service': name})}", name == chosen) for name in names]


def _majors(request: HttpRequest, parity: Parity, chosen: Major | None) -> list[Choice]:
    return [
        Choice(f"PostgreSQL {each.number}", address(request, major=each.number, after=None), each is chosen)
        for each in parity.majors
    ]


def _query(service: str, parity: Parity, major: Major | None) -> dict[str, str]:
    query = {"service": service}
    if parity.depth:
        query["depth"] = parity.depth.value
    if major is not None and major is not parity.majors[0]:
        query["major"] = str(major.number)
    return query


def _object_url(service: str, parity: Parity, major: Major | None, one: Differing) -> str:
    query = {**_query(service, parity, major), "kind": one.kind, "name": one.name}
    return f"{reverse('matrix_schema_object')}?{urlencode(query)}"


def _back_url(service: str, parity: Parity, major: Major | None) -> str:
    return f"{reverse('matrix_schema')}?{urlencode(_query(service, parity, major))}"
