"""Sessions in the large database, as signing in makes them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import get_random_string

from dashboard.sessions import SessionStore
from migrations_app.permissions import OPERATOR
from tests.bench.large import ALIAS

_BACKEND = settings.AUTHENTICATION_BACKENDS[0]


def operator() -> str:
    """The cookie of somebody who may read everything and start runs."""
    user, _ = User.objects.using(ALIAS).get_or_create(username="bench-operator")
    user.groups.set([Group.objects.using(ALIAS).get_or_create(name=OPERATOR)[0]])
    return _cookie(user)


def administrator() -> str:
    """The cookie of somebody who may see everything in Django's admin; Lockstep itself gives them no role."""
    user, _ = User.objects.using(ALIAS).get_or_create(
        username="bench-administrator", defaults={"is_staff": True, "is_superuser": True}
    )
    return _cookie(user)


def _cookie(user: User) -> str:
    content = {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: _BACKEND,
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    session = Session.objects.using(ALIAS).create(
        session_key=get_random_string(32, "abcdefghijklmnopqrstuvwxyz0123456789"),
        session_data=SessionStore().encode(content),
        expire_date=timezone.now() + timedelta(hours=12),
    )
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
