"""Who is calling: the owner of a Bearer token, or somebody signed in whose request carries the CSRF token."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja.errors import AuthenticationError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from dashboard import tokens

HOW = "Send Authorization: Bearer TOKEN; `manage.py token USER` or the API tokens page makes one."


class BearerToken(HttpBearer):
    """A header that opens nothing ends the request: it never falls back to a session."""

    def __call__(self, request: HttpRequest) -> User | None:
        given = request.headers.get("Authorization")
        if given is None:
            return None
        scheme, _, text = given.partition(" ")
        if scheme.lower() != "bearer":
            raise AuthenticationError(401, f"The Authorization header is not a Bearer token. {HOW}")
        return self.authenticate(request, text.strip())

    def authenticate(self, request: HttpRequest, token: str) -> User:
        try:
            user = tokens.authenticate(token)
        except tokens.NotAuthentic as reason:
            raise AuthenticationError(401, f"{reason} Nothing was done. {HOW}") from None
        request.user = user
        return user


class TokenOnly(BearerToken):
    """For what a page asks the password for: a session that was left open is not enough there, and not here."""

    def __call__(self, request: HttpRequest) -> User | None:
        if request.headers.get("Authorization") is None:
            raise AuthenticationError(401, f"This takes an API token; in a browser it is done on its page. {HOW}")
        return super().__call__(request)


class SignedIn(APIKeyCookie):
    """Django's session, for the pages' own requests. The CSRF check comes after it is clear who asks."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> User | None:
        user = request.user
        if not (user.is_authenticated and isinstance(user, User)):
            raise AuthenticationError(401, f"This needs an API token. {HOW}")
        if check_csrf(request) is not None:
            raise PermissionDenied("The CSRF token is missing or wrong, or the request comes from another site.")
        return user

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        raise NotImplementedError("__call__ decides")


WAYS = (BearerToken(), SignedIn(csrf=True))
BY_TOKEN = TokenOnly()


def identify(request: HttpRequest) -> User:
    """For the few views that are not operations. Raises AuthenticationError or PermissionDenied."""
    for way in WAYS:
        user = way(request)
        if user is not None:
            return user
    raise AuthenticationError(401, f"This needs an API token. {HOW}")
