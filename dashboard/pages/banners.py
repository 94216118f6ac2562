"""What stands above and beside every page, asked for by an open page whose polls told that it is another now."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.glance import glance_of


@require_safe
@cache_control(private=True, no_cache=True)
def banners(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    glance_of(request)  # not a second old: a page whose run has ended polls no more and keeps what it is told here
    return render(request, "_above.html")
