"""Sessions in the database, read without the ORM: every request and every poll begins with one."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import connection


class SessionStore(DatabaseStore):
    def load(self) -> dict[str, Any]:
        row = self._read() if str(self.session_key).isalnum() else None
        if row is None:
            self._session_key = None
            return {}
        found: dict[str, Any] = self.decode(row[0])
        return found

    def _read(self) -> tuple[str] | None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > clock_timestamp()",
                [self.session_key],
            )
            row: tuple[str] | None = cursor.fetchone()
        return row
