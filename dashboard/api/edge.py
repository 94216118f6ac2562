"""What surrounds every API view: early refusals, errors in the envelope, HEAD, and nothing left to HTML pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, URLResolver, re_path
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import ValidationError
from ninja.operation import Operation

from dashboard.api.body import refusal_before_reading
from dashboard.api.envelope import error
from dashboard.api.failures import CURSORS
from dashboard.api.identity import identify

View = Callable[..., HttpResponse]


class EdgeApi(NinjaAPI):
    """django-ninja with every view guarded, and an answer for every path below it."""

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        patterns = super()._get_urls()
        for pattern in patterns:
            assert isinstance(pattern, URLPattern)
            # The framework's root view only gives the root a name to reverse.
            pattern.callback = guarded(self, nothing_here if pattern.name == "api-root" else pattern.callback)
        return [*patterns, re_path("", guarded(self, nothing_here), name="nothing-here")]


def guarded(api: NinjaAPI, view: View) -> View:
    """Login and CSRF are the API's own business (see identity.py), so Django's middleware leaves them to it."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        early = refusal_before_reading(request) or _unreadable_address(request)
        if early:
            return error(request, *early)
        response = _answered(api, view, request, *args, **kwargs)
        if isinstance(response, HttpResponseNotAllowed):
            response = _not_allowed(request, response)
        response.setdefault("Cache-Control", "no-store")
        patch_vary_headers(response, ("Authorization", "Cookie"))
        if request.method == "HEAD":
            _drop_body(response)
        return response

    return csrf_exempt(login_not_required(answer))


def _answered(api: NinjaAPI, view: View, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """HEAD is answered like GET. Errors outside of operations get the envelope too."""
    method = request.method
    if method == "HEAD":
        request.method = "GET"
    try:
        return view(request, *args, **kwargs)
    except Exception as problem:
        return api.on_exception(request, problem)
    finally:
        request.method = method


def _drop_body(response: HttpResponse) -> None:
    length = len(response.content)
    response.content = b""
    response["Content-Length"] = str(length)


def _unreadable_address(request: HttpRequest) -> tuple[int, str] | None:
    if "\x00" in request.path:
        return 404, "There is nothing at this address."
    if any("\x00" in text for pair in request.GET.lists() for text in (pair[0], *pair[1])):
        return 422, "The query holds a NUL character, which nothing here is named with."
    if twice := [name for name in CURSORS if len(request.GET.getlist(name)) > 1]:
        return 400, f"The query names {twice[0]} more than once, and a list goes on at one place."
    return None


def _not_allowed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    allowed = ", ".join(sorted(response["Allow"].split(", ")))
    told = error(request, 405, f"{request.method} is not possible here; {allowed} is.")
    told["Allow"] = allowed
    return told


def nothing_here(request: HttpRequest) -> HttpResponse:
    return error(request, 404, "There is nothing at this address.")


def signed_in_only(view: View) -> View:
    """For the OpenAPI document: it is for those who may use the API."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        identify(request)
        return view(request, *args, **kwargs)

    return answer


def known_query_only(view: View) -> View:
    """Refuse query parameters that the operation does not have, by name."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        unknown = [name for name in request.GET if name not in _query_names(view)]
        if unknown:
            raise ValidationError([{"loc": ("query", name), "type": "extra_forbidden", "msg": ""} for name in unknown])
        return view(request, *args, **kwargs)

    return answer


def _query_names(view: View) -> Sequence[str]:
    operation: Operation = view._ninja_operation  # type: ignore[attr-defined]
    sources = (model for model in operation.models if model.__ninja_param_source__ == "query")
    return [name for model in sources for name in model.__ninja_flatten_map__]
