"""Polls: an open page asks for a part of itself again and again, and hears 304 while its version is the one it has.

That answer takes who asks and the version, nothing of what draws a page, so it is given before all that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import resolve
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from dashboard.banners import HEADER, banners_for, key_of, tells_banners
from dashboard.sessions import Beside, SessionStore
from migrations_app.permissions import may

View = Callable[..., HttpResponse]
Version = Callable[..., str]  # takes what its view takes, and checks permission as that does


@dataclass(frozen=True)
class _Poll:
    version: Version
    beside: Beside | None  # the row that `pk` in the address names, if the version is made of one


_POLLS: dict[View, _Poll] = {}


def poll(version: Version, beside: Beside | None = None) -> Callable[[View], View]:
    """A view that is asked to draw only when the version which was brought is not the one there is now."""

    def made(view: View) -> View:
        answering = require_safe(cache_control(private=True, no_cache=True)(condition(etag_func=version)(view)))
        whole: View = tells_banners(answering)
        _POLLS[whole] = _Poll(version, beside)
        return whole

    return made


class Unchanged:
    """Answers 304 or leaves the request to its view, which draws, refuses or sends to the sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        brought = request.method == "GET" and "HTTP_IF_NONE_MATCH" in request.META
        return (_unchanged(request) if brought else None) or self.get_response(request)


def _unchanged(request: HttpRequest) -> HttpResponse | None:
    try:
        view, _, given = resolve(request.path_info)
        asked = _POLLS.get(view)
        if asked is None:
            return None
        if asked.beside and isinstance(request.session, SessionStore):
            request.session.beside = (asked.beside, given["pk"])
        if not may(request.user, "view"):
            return None
        tag = asked.version(request, **given)
    except Http404:
        return None
    answer: HttpResponse | None = get_conditional_response(request, etag=tag)
    if answer is not None:
        answer["ETag"] = tag
        answer[HEADER] = key_of(request, banners_for(request))
        patch_cache_control(answer, private=True, no_cache=True)
    return answer
