"""What every page and poll asks first: statements that the server parses and plans once for each connection.

The connections of a web process keep them, see dashboard/settings.py; elsewhere they are asked like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection


class _Prepared(psycopg.Cursor[Any]):
    """Django's own cursors write the values into the text, so that no two statements are the same."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> _Prepared:  # noqa: ANN401  as it is there
        return super().execute(query, params, prepare=True, **options)


def one_row(statement: str, given: Sequence[Any] | Mapping[str, Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.cursor = _Prepared(cursor.connection)
        cursor.execute(statement, given)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row
