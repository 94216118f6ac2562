"""Let Django's test flush empty the audit and the release table: it uses TRUNCATE, which the product refuses.

Only the triggers against TRUNCATE are switched off, and only in the test database; tests/audit/test_triggers.py and
tests/releases/test_registering.py switch theirs on and prove that it refuses. tests/conftest.py imports the fixture.
"""

from __future__ import annotations

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

DISABLE = "ALTER TABLE migrations_app_auditentry DISABLE TRIGGER audit_no_truncate"
ENABLE = "ALTER TABLE migrations_app_auditentry ENABLE ALWAYS TRIGGER audit_no_truncate"

DISABLE_RELEASES = DISABLE.replace("auditentry", "release").replace("audit_no", "release_no")
ENABLE_RELEASES = ENABLE.replace("auditentry", "release").replace("audit_no", "release_no")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(DISABLE)
        cursor.execute(DISABLE_RELEASES)
