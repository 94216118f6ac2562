"""Let Django's test flush empty the tables that only grow: it uses TRUNCATE, which the product refuses for them.

Only the triggers against TRUNCATE are switched off, and only in the test database; tests/audit/test_triggers.py,
tests/releases/test_registering.py and tests/releases/gates/test_guards.py switch theirs on and prove that it refuses.
tests/conftest.py imports the fixture.
"""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

DISABLE = "ALTER TABLE migrations_app_auditentry DISABLE TRIGGER audit_no_truncate"
ENABLE = "ALTER TABLE migrations_app_auditentry ENABLE ALWAYS TRIGGER audit_no_truncate"

DISABLE_RELEASES = DISABLE.replace("auditentry", "release").replace("audit_no", "release_no")
ENABLE_RELEASES = ENABLE.replace("auditentry", "release").replace("audit_no", "release_no")

KEPT: tuple[str, ...] = import_module("migrations_app.migrations.0021_gate_guards").KEPT


def truncatable(table: str, *, yes: bool) -> str:
    """The statement that switches a table's trigger against TRUNCATE off, or on again."""
    verb = "DISABLE" if yes else "ENABLE ALWAYS"
    return f"ALTER TABLE migrations_app_{table} {verb} TRIGGER {table}_no_truncate"


def let_flush() -> None:
    """Switch off what would refuse a flush; a migration that is gone back and forth makes the triggers anew."""
    with connection.cursor() as cursor:
        cursor.execute(DISABLE)
        cursor.execute(DISABLE_RELEASES)
        for table in (*KEPT, "auditanchor", "releasestate"):
            cursor.execute(truncatable(table, yes=True))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        let_flush()
