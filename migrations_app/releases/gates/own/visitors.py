"""Who asks the installation: a session of ten minutes for each right, of somebody who has it, ended after the looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.db import OperationalError

from migrations_app.permissions import may

# The name of a right as looks use it, and the verb that has to be allowed.
READ, EXPORT, ADMIN = "read", "export", "admin"
RIGHTS = {READ: "view", EXPORT: "export", ADMIN: "edit_fleet"}
SECONDS = 600


@contextmanager
def visitors() -> Iterator[Mapping[str, str]]:
    """Cookies by right; none while the database does not answer."""
    sessions: list[Any] = []
    try:
        yield dict(_cookies(sessions))
    finally:
        with suppress(OperationalError):
            for session in sessions:
                session.delete()


def _cookies(sessions: list[Any]) -> Iterator[tuple[str, str]]:
    try:
        people = list(User.objects.filter(is_active=True).order_by("pk")[:500])
        for right, verb in RIGHTS.items():
            user = next((one for one in people if may(one, verb)), None)
            if user is not None:
                sessions.append(_session(user))
                yield right, f"{settings.SESSION_COOKIE_NAME}={sessions[-1].session_key}"
    except OperationalError:
        return


def _session(user: User) -> Any:  # noqa: ANN401  the store that the settings name
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.set_expiry(SECONDS)
    session.create()
    return session
