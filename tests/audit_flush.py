"""Let Django's test flush empty the audit table: it uses TRUNCATE, which the product refuses.

Only the trigger against TRUNCATE is switched off, and only in the test database; tests/audit/test_triggers.py
switches it on and proves that it refuses. tests/conftest.py imports the fixture.
"""

from __future__ import annotations

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

DISABLE = "ALTER TABLE migrations_app_auditentry DISABLE TRIGGER audit_no_truncate"
ENABLE = "ALTER TABLE migrations_app_auditentry ENABLE ALWAYS TRIGGER audit_no_truncate"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(DISABLE)
