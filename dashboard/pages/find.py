"""The search in the header: one hit opens it, several are listed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.pages.query import word
from migrations_app.fleet.find import Found, find


@require_safe
def find_page(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    query = word(request, "q")
    hits = [(hit, _url(hit)) for hit in find(query)]
    if len(hits) == 1:
        return redirect(hits[0][1])
    return render(request, "home/find.html", {"find_query": query, "hits": hits})


def _url(hit: Found) -> str:
    if hit.kind == "run":
        return reverse("run", args=[int(hit.name)])
    if hit.kind == "service":
        return reverse("service", args=[hit.name])
    return reverse(hit.kind, args=[hit.service, hit.name])
