"""After deploy/sql/audit_owner.sql the application's role adds to the audit log through one function, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

from migrations_app.audit.record import record
from migrations_app.audit.verify import verify
from migrations_app.models import AuditEntry, Release
from tests.releases.gates.shapes import report_all, sign
from tests.releases.gates.signed import make_signed

pytestmark = pytest.mark.django_db

SCRIPT = Path(__file__).parents[3] / "deploy/sql/audit_owner.sql"
APPLICATION = "lockstep_test_application"


def hand_over(hand_back: str = "") -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lockstep.application', %s, true)", [APPLICATION])
        cursor.execute("SELECT set_config('lockstep.hand_back', %s, true)", [hand_back])
        cursor.execute(SCRIPT.read_text(encoding="utf-8"))


@pytest.fixture
def application(release: Release, olga: User, ann: User, omar: User) -> None:
    """Its own tables are the application's, as after `migrate`; then the script runs, twice."""
    make_signed(release, olga, ann, omar)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"CREATE ROLE {APPLICATION} LOGIN")
        cursor.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {APPLICATION}")
    hand_over()
    hand_over()
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {APPLICATION}")


TABLES = ("auditentry", "gatesignature", "gateevidence", "breakglassanswer", "cutover", "release")
REFUSED = (
    "UPDATE {table} SET {number} = {number}",
    "DELETE FROM {table}",
    "TRUNCATE {table} CASCADE",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} ADD COLUMN more integer",
    "DROP TABLE {table} CASCADE",
)
REFUSED_ONCE = (
    "INSERT INTO migrations_app_auditentry (seq, at, body, prev_hash, hash) "
    "SELECT seq + 1, at, body, hash, hash FROM migrations_app_auditentry ORDER BY seq DESC LIMIT 1",
    "DROP SCHEMA public CASCADE",
    "ALTER SCHEMA public OWNER TO CURRENT_USER",
    "CREATE OR REPLACE FUNCTION audit_follows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE OR REPLACE FUNCTION gate_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE OR REPLACE FUNCTION entry_demanded() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
)


def test_it_is_refused_everything_but_adding(application: None) -> None:
    statements = [
        one.format(table=f"migrations_app_{table}", number="seq" if table == "auditentry" else "id")
        for table in TABLES
        for one in REFUSED
    ]
    for statement in (*statements, *REFUSED_ONCE):
        with pytest.raises(DatabaseError, match=r"permission denied|must be owner|refused"), transaction.atomic():
            connection.cursor().execute(statement)


def test_it_works_on_as_before(application: None, release: Release, olga: User, ada: User) -> None:
    report_all(release, olga)
    sign(release, "build", ada)
    before = AuditEntry.objects.count()
    record(actor=ada, action="test.done", object="thing")
    assert (verify().ok, verify().checked) == (True, before + 1)
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_it_is_handed_back_for_an_upgrade(application: None) -> None:
    connection.cursor().execute("RESET ROLE")
    hand_over("yes")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableowner FROM pg_tables WHERE tablename IN ('migrations_app_auditentry', "
            "'migrations_app_gatesignature')"
        )
        assert {owner for (owner,) in cursor.fetchall()} == {APPLICATION}
