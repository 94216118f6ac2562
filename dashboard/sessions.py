"""Sessions in the database, each read together with its user and their roles: every request and poll begins with one.

A session's text begins with the number of its user, by which the one statement finds them. Nobody is believed for that:
who signed in stands in the signed rest, see signin.py.

A poll asks for a row of its own too, beside the session. It is kept with the user, for access.py to give out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from migrations_app.permissions import USER_WITH_ROLES, user_of
from migrations_app.prepared import one_row

_KEPT = "_lockstep_beside"


@dataclass(frozen=True)
class Beside:
    """Rows of a table, each found by the first of their columns."""

    table: str
    columns: tuple[str, ...]

    @cached_property
    def statement(self) -> str:
        return f"SELECT {', '.join(self.columns)} FROM {self.table} WHERE {self.columns[0]} = %s"  # noqa: S608

    @cached_property
    def read(self) -> str:
        columns = "".join(f", b.{name}" for name in self.columns)
        return _read(columns, f"LEFT JOIN {self.table} b ON b.{self.columns[0]} = %(pk)s")


def _read(columns: str = "", join: str = "") -> str:
    return f"""
SELECT s.session_data, {USER_WITH_ROLES}{columns}
  FROM django_session s LEFT JOIN auth_user u ON u.id = substring(s.session_data FROM '^([0-9]{{1,9}}) ')::int
       {join}
 WHERE s.session_key = %(key)s AND s.expire_date > clock_timestamp()
"""  # noqa: S608  no value in it


READ = _read()


class SessionStore(DatabaseStore):
    beside: tuple[Beside, int] | None = None  # to be set before anything is read
    _owner: User | None = None

    @property
    def owner(self) -> User | None:
        """Who the text names, as they were when the session was read."""
        self._get_session()  # type: ignore[attr-defined]
        return self._owner

    def load(self) -> dict[str, Any]:
        row = self._row() if str(self.session_key).isalnum() else None
        if row is None:
            self._session_key = None
            return {}
        own = len(row) - (len(self.beside[0].columns) if self.beside else 0)
        self._owner = user_of(row[1:own])
        if self.beside and self._owner:
            setattr(self._owner, _KEPT, (self.beside, row[own:]))
        found: dict[str, Any] = self.decode(row[0])
        return found

    def _row(self) -> tuple[Any, ...] | None:
        if self.beside is None:
            return one_row(READ, {"key": self.session_key})
        what, pk = self.beside
        return one_row(what.read, {"key": self.session_key, "pk": pk})

    def encode(self, session_dict: dict[str, Any]) -> str:
        return f"{session_dict.get(SESSION_KEY, '')} {super().encode(session_dict)}"

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        found: dict[str, Any] = super().decode(str(session_data).rpartition(" ")[2])
        return found


def row_beside(user: AbstractBaseUser | AnonymousUser, what: Beside, pk: int) -> Sequence[Any] | None:
    """The row that was read with the user's session, or else on its own; None where there is none."""
    kept: tuple[tuple[Beside, int], Sequence[Any]] | None = getattr(user, _KEPT, None)
    row = kept[1] if kept and kept[0] == (what, pk) else one_row(what.statement, [pk])
    return None if row is None or row[0] is None else row
