"""The search in the header: one hit opens it, several are listed; the palette asks for the same as JSON."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
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


@never_cache
@require_safe
def find_json(request: HttpRequest) -> JsonResponse:
    """The same hits, in the same order, as the page has for the same words."""
    access.require(request.user, "view")
    query = word(request, "q")
    hits = [{"kind": hit.kind, "name": hit.name, "service": hit.service, "url": _url(hit)} for hit in find(query)]
    return JsonResponse({"query": query, "hits": hits})


def _url(hit: Found) -> str:
    if hit.kind == "run":
        return reverse("run", args=[int(hit.name)])
    if hit.kind == "service":
        return reverse("service", args=[hit.name])
    return reverse(hit.kind, args=[hit.service, hit.name])
