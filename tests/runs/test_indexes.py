"""Every index is written with each row: none is kept that a longer one begins with."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from tests.audit_flush import let_flush

pytestmark = pytest.mark.django_db

NEEDLESS = """
SELECT short.indexrelid::regclass::text, long.indexrelid::regclass::text
  FROM pg_index short JOIN pg_index long ON long.indrelid = short.indrelid AND long.indexrelid <> short.indexrelid
 WHERE short.indrelid::regclass::text LIKE 'migrations\\_app\\_%'
   AND NOT short.indisunique AND short.indpred IS NULL AND long.indpred IS NULL
   AND short.indexprs IS NULL AND long.indclass[0] = short.indclass[0]
   AND long.indkey::text LIKE short.indkey::text || ' %'
"""


def needless() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(NEEDLESS)
        found: list[tuple[str, str]] = cursor.fetchall()
    return found


def test_no_index_is_what_a_longer_one_begins_with() -> None:
    assert needless() == []


@pytest.mark.django_db(transaction=True)
def test_the_step_back_puts_them_where_they_were() -> None:
    try:
        call_command("migrate", "migrations_app", "0008", verbosity=0)
        assert len({short for short, _ in needless()}) == 10
    finally:
        call_command("migrate", "migrations_app", verbosity=0)
        let_flush()
    assert needless() == []
