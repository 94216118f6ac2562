"""Rows of the audit table stay as they were written, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction

from migrations_app.audit.record import record
from migrations_app.models import AuditEntry
from tests.audit_flush import DISABLE, ENABLE

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry() -> AuditEntry:
    return record(actor=None, action="a", object="o")


@pytest.fixture
def truncate_trigger() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(ENABLE)
        yield
        cursor.execute(DISABLE)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE migrations_app_auditentry SET body = '{}'",
        "DELETE FROM migrations_app_auditentry",
        "SET LOCAL session_replication_role = replica; DELETE FROM migrations_app_auditentry",
    ],
)
def test_it_refuses_to_change_or_delete(entry: AuditEntry, statement: str) -> None:
    with pytest.raises(DatabaseError, match="audit entries are never changed"), transaction.atomic():
        connection.cursor().execute(statement)
    assert AuditEntry.objects.filter(seq=entry.seq, hash=entry.hash).exists()


def test_it_refuses_to_truncate(entry: AuditEntry, truncate_trigger: None) -> None:
    with pytest.raises(DatabaseError, match="TRUNCATE refused"), transaction.atomic():
        connection.cursor().execute("TRUNCATE migrations_app_auditentry")
    assert AuditEntry.objects.filter(seq=entry.seq).exists()


def test_it_lets_no_other_role_append() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE lockstep_test_stranger")
        cursor.execute("SELECT has_function_privilege('lockstep_test_stranger', 'audit_append(text)', 'EXECUTE')")
        assert cursor.fetchone() == (False,)
