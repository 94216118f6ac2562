"""The rows above every page, asked for alone by an open page whose polls told that they are others now."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from dashboard import access


@require_safe
@cache_control(private=True, no_cache=True)
def banners(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    return render(request, "_banners.html")
