"""Who a session belongs to: the user that was read with it, if everything about them agrees."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.middleware import AuthenticationMiddleware, get_user
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

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


def _user(request: HttpRequest) -> User | AnonymousUser:
    """Whatever does not agree is left to Django, which refuses it and ends the session."""
    session = request.session
    owner = session.owner if isinstance(session, SessionStore) else None
    return owner if owner is not None and _signed_in(owner, session) else get_user(request)


def _signed_in(user: User, session: SessionBase) -> bool:
    return (
        user.is_active
        and session.get(SESSION_KEY) == str(user.pk)
        and session.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    )
