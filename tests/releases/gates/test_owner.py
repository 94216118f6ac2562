"""After deploy/sql/audit_owner.sql the application's role adds to the audit log through one function, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from migrations_app.audit.record import record
from migrations_app.audit.verify import verify
from migrations_app.models import AuditEntry, Cutover, Release, WaiverDecision
from tests.releases.gates.rows import put
from tests.releases.gates.shapes import report_all, sign
from tests.releases.gates.signed import make_signed
from tests.releases.gates.test_guards import waiver

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


# PostgreSQL takes the function or operator whose arguments fit best, in whichever schema of the path it is.
BETTER_FITS = (
    "CREATE FUNCTION public.convert_to(text, text) RETURNS bytea LANGUAGE plpgsql AS "
    "$$BEGIN RAISE EXCEPTION 'ran as %', current_user; END$$",
    "CREATE FUNCTION public.says_yes(varchar, text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = public.says_yes)",
)


def test_what_it_may_create_is_called_by_no_guard(application: None, release: Release, olga: User, omar: User) -> None:
    with connection.cursor() as cursor:
        for statement in BETTER_FITS:
            cursor.execute(statement)
    record(actor=olga, action="test.done", object="thing")
    asked = waiver(release, omar)
    with pytest.raises(DatabaseError, match="decided by another person"), transaction.atomic():
        put(WaiverDecision(waiver=asked, verb="approve", by=omar))


def test_guards_look_up_names_in_no_schema_but_postgresqls_own() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prolang = "
            "(SELECT oid FROM pg_language WHERE lanname = 'plpgsql') AND proname !~ '^migrations_app'"
        )
        found = dict(cursor.fetchall())
    assert {"audit_append", "audit_follows", "entry_demanded", "cutover_guard"} <= set(found)
    assert {name: path for name, path in found.items() if path != ["search_path=pg_catalog, pg_temp"]} == {}


def test_it_works_on_as_before(application: None, release: Release, olga: User, ada: User) -> None:
    report_all(release, olga)
    sign(release, "build", ada)
    before = AuditEntry.objects.count()
    record(actor=ada, action="test.done", object="thing")
    assert (verify().ok, verify().checked) == (True, before + 1)
    Cutover.objects.update(status=F("status"), sentence="s", version=2, acting=olga, back_since=Now(), back_reason="r")
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_application_can_back_up_what_is_not_its_own(application: None) -> None:
    """A dump reads each table, and where the numbers of its rows stand."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relkind, c.relname, CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT') "
            "ELSE has_table_privilege(c.oid, 'SELECT') END FROM pg_class c "
            "WHERE c.relkind IN ('r', 'S') AND c.relowner = 'lockstep_audit'::regrole"
        )
        found = cursor.fetchall()
    assert {kind for kind, _, _ in found} == {"r", "S"}
    assert [name for _, name, readable in found if not readable] == []


def test_it_is_handed_back_for_an_upgrade(application: None) -> None:
    connection.cursor().execute("RESET ROLE")
    hand_over("yes")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableowner FROM pg_tables WHERE tablename IN ('migrations_app_auditentry', "
            "'migrations_app_gatesignature')"
        )
        assert {owner for (owner,) in cursor.fetchall()} == {APPLICATION}
