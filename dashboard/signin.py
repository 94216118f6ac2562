"""Who a session belongs to: the user that was read with it, if everything about them agrees; strangers sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.middleware import AuthenticationMiddleware, LoginRequiredMiddleware, get_user
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme

from dashboard.sessions import SessionStore
from migrations_app.permissions import user_with_roles


class Backend(ModelBackend):
    def get_user(self, user_id: Any) -> User | None:  # noqa: ANN401  as ModelBackend has it
        user = user_with_roles(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None


class Authentication(AuthenticationMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _user(request))  # type: ignore[assignment]


class SignInFirst(LoginRequiredMiddleware):
    """A change that nobody signed in for is told as not done, and leads back to the page it was sent from."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        """Where nobody has to sign in, nobody is looked up: Django would, over the pool."""
        if not getattr(view_func, "login_required", True):
            return None
        found: HttpResponseBase | None = super().process_view(request, view_func, view_args, view_kwargs)
        return found

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseRedirect:
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        told = "You were not signed in any more, so nothing was done. Sign in and do it again."
        messages.warning(request, told)
        return redirect_to_login(_sent_from(request), resolve_url(self.get_login_url(view_func)))


def _sent_from(request: HttpRequest) -> str:
    """Its own address shows nothing: what only takes a change cannot be opened."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    found = urlsplit(page)
    return f"{found.path or '/'}?{found.query}" if found.query else found.path or "/"


def _user(request: HttpRequest) -> User | AnonymousUser:
    """Whatever does not agree is left to Django, which refuses it and ends the session."""
    session = request.session
    owner = session.owner if isinstance(session, SessionStore) else None
    return owner if owner is not None and agrees(owner, session) else get_user(request)


def agrees(user: User, session: SessionBase) -> bool:
    return (
        user.is_active
        and session.get(SESSION_KEY) == str(user.pk)
        and session.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    )
