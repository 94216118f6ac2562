"""Revisions × environments of one service."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.pages.choices import choices
from dashboard.pages.matrix_cells import draw, headline, legend
from dashboard.pages.query import address, number, word
from migrations_app.fleet.chain import service_names
from migrations_app.fleet.matrix import differences, read_matrix

MODES = (("", "Frontier"), ("all", "All"))


@require_safe
def matrix(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    names = service_names()
    chosen = word(request, "service") or (names[0] if names else "")
    if not chosen:
        return render(request, "fleet/matrix_empty.html")
    service = access.service_for(request.user, chosen)
    mode, first = word(request, "mode"), number(request, "from") or 0
    window = read_matrix(service, everything=mode == "all", before=number(request, "before"), from_column=first)
    return render(
        request,
        "fleet/matrix.html",
        {
            "service": service.name,
            "services": choices(request, "service", service.name, [(name, name) for name in names], before=None),
            "modes": choices(request, "mode", mode, MODES, before=None),
            "headline": headline(window),
            "window": window,
            "table": draw(window, service.name, address(request, mode="all", before=None)),
            "legend": legend(),
            "differences": differences(window),
            "older_url": address(request, before=window.older) if window.older else "",
            "newest_url": address(request, before=None) if number(request, "before") else "",
            "next_columns_url": address(request, **{"from": first + len(window.columns)})
            if first + len(window.columns) < window.hidden_columns + len(window.columns)
            else "",
        },
    )


@require_safe
def revisions_entry(request: HttpRequest) -> HttpResponse:
    """The navigation's Revisions: straight to the only service's chain, else a choice."""
    access.require(request.user, "view")
    names = service_names()
    if len(names) == 1:
        return redirect("revision_list", names[0])
    links = [(name, reverse("revision_list", args=[name])) for name in names]
    return render(request, "revisions/choose.html", {"links": links})
