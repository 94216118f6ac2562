"""Sessions in the database, each read together with its user and their roles: every request and poll begins with one.

A session's text begins with the number of its user, by which the one statement finds them. Nobody is believed for that:
who signed in stands in the signed rest, see signin.py.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from migrations_app.permissions import USER_WITH_ROLES, user_of
from migrations_app.prepared import one_row

_READ = f"""
SELECT s.session_data, {USER_WITH_ROLES}
  FROM django_session s LEFT JOIN auth_user u ON u.id = substring(s.session_data FROM '^([0-9]{{1,9}}) ')::int
 WHERE s.session_key = %s AND s.expire_date > clock_timestamp()
"""  # noqa: S608  no value in it


class SessionStore(DatabaseStore):
    _owner: User | None = None

    @property
    def owner(self) -> User | None:
        """Who the text names, as they were when the session was read."""
        self._get_session()  # type: ignore[attr-defined]
        return self._owner

    def load(self) -> dict[str, Any]:
        row = one_row(_READ, [self.session_key]) if str(self.session_key).isalnum() else None
        if row is None:
            self._session_key = None
            return {}
        self._owner = user_of(row[1:])
        found: dict[str, Any] = self.decode(row[0])
        return found

    def encode(self, session_dict: dict[str, Any]) -> str:
        return f"{session_dict.get(SESSION_KEY, '')} {super().encode(session_dict)}"

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        found: dict[str, Any] = super().decode(str(session_data).rpartition(" ")[2])
        return found
