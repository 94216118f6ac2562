"""Two environments of one service: what stands on one side only, and what stands with other bytes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.pages.query import address, word
from migrations_app.fleet.chain import environment_names, service_names
from migrations_app.fleet.pair import WINDOW, compare_pair


@require_safe
def history_compare(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    names = service_names()
    service = word(request, "service") or (names[0] if len(names) == 1 else "")
    if service and service not in names:
        access.service_for(request.user, service)  # says that there is none
    left, right = word(request, "a"), word(request, "b")
    context = {
        "services": names,
        "service": service,
        "environments": environment_names(service) if service else [],
        "left": left,
        "right": right,
        "window": WINDOW,
    }
    if service and left and right:
        one, other = (access.environment_for(request.user, service, name) for name in (left, right))
        context |= {"pair": compare_pair(one, other), "swap_url": address(request, a=right, b=left)}
    return render(request, "fleet/compare.html", context)
