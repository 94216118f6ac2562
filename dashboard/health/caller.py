"""Whether a caller may see more than the status: looked up over health's own connection, never over the pool."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest

from dashboard import tokens
from dashboard.health.own import CALLER_S, LOOKS, Away
from dashboard.sessions import READ, SessionStore
from dashboard.signin import agrees
from migrations_app.permissions import USER_WITH_ROLES, may, user_of

# What says that somebody else's address stands behind the one the request came from.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
_TOKEN = f"""
SELECT t.sha256, t.revoked_at IS NULL AND t.expires_at > clock_timestamp(), t.role, {USER_WITH_ROLES}
  FROM migrations_app_apitoken t JOIN auth_user u ON u.id = t.user_id WHERE t.prefix = %s
"""  # noqa: S608  no value in it


class _OwnStore(SessionStore):
    """Read over health's own connection; nothing here writes one. It is signed by the other class's name."""

    @property
    def key_salt(self) -> str:
        return f"django.contrib.sessions.{SessionStore.__qualname__}"

    def _row(self) -> tuple[Any, ...] | None:
        return _one(READ, {"key": self.session_key})


def is_listed(request: HttpRequest) -> bool:
    """By its address, unless somebody in between tells of another one."""
    if not settings.HEALTH_ALLOW or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in network for network in settings.HEALTH_ALLOW)


def user_behind(request: HttpRequest) -> User | AnonymousUser:
    """Nobody where there is neither a good token nor a good session. Raises Away when that cannot be told."""
    given = request.headers.get("Authorization")
    if given is not None:
        scheme, _, text = given.partition(" ")
        return (_of_token(text.strip()) if scheme.lower() == "bearer" else None) or AnonymousUser()
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    return (_of_session(key) if key else None) or AnonymousUser()


def sees_details(request: HttpRequest) -> bool:
    """What cannot be told is no."""
    if is_listed(request):
        return True
    try:
        return may(user_behind(request), "view")
    except Away:
        return False


def _of_token(text: str) -> User | None:
    row = _one(_TOKEN, [tokens.prefix_of(text)])
    if not tokens.is_of(row[0] if row else None, text) or row is None or not row[1]:
        return None
    user = user_of(row[3:])
    if user is not None and row[2]:
        user.token_roles = frozenset({row[2]})  # type: ignore[attr-defined]
    return user


def _of_session(key: str) -> User | None:
    session = _OwnStore(key)
    owner = session.owner
    return owner if owner is not None and agrees(owner, session) else None


def _one(statement: str, given: Any) -> tuple[Any, ...] | None:  # noqa: ANN401  as psycopg has it
    row: tuple[Any, ...] | None = LOOKS.ask(lambda conn: conn.execute(statement, given).fetchone(), CALLER_S)
    return row
