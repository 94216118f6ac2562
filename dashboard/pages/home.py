"""The front page: one verdict, what needs a person, where everything stands, what runs and what happened last."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from dashboard import access
from dashboard.banners import tells_banners
from dashboard.pages.home_view import home_context, version_of


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    return render(request, "home/home.html", home_context(request))


def _version(request: HttpRequest) -> str:
    access.require(request.user, "view")
    return f'"{hashlib.sha256(version_of(request).encode()).hexdigest()[:24]}"'


@tells_banners
@require_safe
@cache_control(private=True, no_cache=True)
@condition(etag_func=_version)
def home_live(request: HttpRequest) -> HttpResponse:
    """The parts of the page that change, each as a whole; 304 while none of them does."""
    return render(request, "home/live.html", home_context(request))
