"""Rows of the audit table stay as they were written, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction

from migrations_app.audit.record import record
from migrations_app.audit.verify import verify
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


# What a new entry would have to be, with one thing about it that is not so.
APPEND = """
INSERT INTO {table} (seq, at, body, prev_hash, hash)
SELECT seq, at, body, prev_hash, sha256(prev_hash || convert_to(
    seq || '|' || (extract(epoch FROM at) * 1000000)::bigint || '|' || body, 'UTF8'))
  FROM (SELECT seq + {up} AS seq, clock_timestamp() + interval '{late}' AS at, '{{"action":"x"}}' AS body, {before} AS
        prev_hash FROM public.migrations_app_auditentry ORDER BY seq DESC LIMIT 1) e
"""


def append(up: int = 1, late: str = "0 s", before: str = "hash") -> str:
    return APPEND.format(table="migrations_app_auditentry", up=up, late=late, before=before)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (append(up=2), "follows from the one before"),
        (append(up=0), "follows from the one before"),
        (append(before="prev_hash"), "follows from the one before"),
        (append(before="sha256('')"), "follows from the one before"),
        (append().replace("sha256(prev_hash", "sha256(body::bytea"), "follows from the one before"),
        (append(late="2 s"), "is of this moment"),
        (append(late="-1 day"), "is of this moment"),
        (
            "CREATE TEMPORARY TABLE migrations_app_auditentry ON COMMIT DROP AS SELECT 1::bigint AS seq, now() AS at, "
            "'{}'::text AS body, '{}'::jsonb AS data, sha256('x') AS prev_hash, sha256('y') AS hash; "
            + append(up=0, before="sha256('y')").replace("INTO migr", "INTO public.migr").replace("seq + 0", "2"),
            "follows from the one before",
        ),
    ],
)
def test_it_lets_nothing_in_that_does_not_follow(entry: AuditEntry, statement: str, why: str) -> None:
    with pytest.raises(DatabaseError, match=why), transaction.atomic():
        connection.cursor().execute(statement)
    assert AuditEntry.objects.first() == entry


def test_a_true_append_gets_in_by_whatever_way(entry: AuditEntry) -> None:
    connection.cursor().execute(append())
    assert (verify().ok, verify().head_seq) == (True, entry.seq + 1)


def test_it_lets_no_other_role_append() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE lockstep_test_stranger")
        cursor.execute("SELECT has_function_privilege('lockstep_test_stranger', 'audit_append(text)', 'EXECUTE')")
        assert cursor.fetchone() == (False,)
