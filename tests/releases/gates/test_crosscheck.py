"""Rows about gates that somebody changed by SQL: refused to the application, found after a superuser did it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from migrations_app.models import AuditCheck, AuditEntry, GateSignature, GateWaiver, Release, WaiverDecision
from migrations_app.releases.crosscheck import check_and_keep, first_difference
from migrations_app.releases.gates.catalogue import sha256_of
from migrations_app.releases.registering import register_release
from tests.audit_flush import truncatable
from tests.releases.gates.rows import put
from tests.releases.gates.signed import WITH_ROWS, make_signed

pytestmark = pytest.mark.django_db

# A column that anybody would like to change, and another value for it.
OTHER = {
    "gateevidence": "status = CASE status WHEN 'pass' THEN 'fail' ELSE 'pass' END",
    "gatesignature": "evidence_hash = repeat('0', 64)",
    "signaturewithdrawal": "reason = 'another reason'",
    "gatewaiver": "expires_at = expires_at + interval '1 hour'",
    "waiverdecision": "reason = 'another reason'",
    "breakglass": "reason = 'another reason'",
    "breakglassanswer": "granted = NOT granted",
    "cutover": "planned_until = now(), planned_from = now() - interval '1 hour'",
}
# What a second row may not have twice.
FRESH = {
    "signaturewithdrawal": ("signature_id", "999999"),
    "waiverdecision": ("verb", "'revoke'"),
    "breakglassanswer": ("glass_id", "999999"),
    "cutover": ("glass_id", "NULL"),
}


@pytest.fixture
def signed(release: Release, olga: User, ann: User, omar: User) -> Release:
    make_signed(release, olga, ann, omar)
    assert first_difference(artefacts=True) == ""
    execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    return release


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def as_superuser(table: str, *statements: str) -> None:
    """Nothing stops whoever may switch triggers off; in a savepoint, so that the next case begins whole."""
    name = f"migrations_app_{table}"
    execute(
        f"SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE {name} DISABLE TRIGGER ALL",
        *statements,
        f"ALTER TABLE {name} ENABLE TRIGGER ALL; SET CONSTRAINTS ALL DEFERRED",
    )


def found_after(table: str, *statements: str) -> str:
    """What the verifier says; all of it is taken back."""
    with transaction.atomic():
        as_superuser(table, *statements)
        found = first_difference()
        transaction.set_rollback(True)
    return found


def columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        return [one.name for one in connection.introspection.get_table_description(cursor, f"migrations_app_{table}")]


def copied(table: str) -> str:
    """An INSERT of a row like the newest, under another number."""
    fresh, value = FRESH.get(table, ("", ""))
    names = [name for name in columns(table) if name != "id"]
    given = ", ".join(value if name == fresh else name for name in names)
    return (
        f"INSERT INTO migrations_app_{table} (id, {', '.join(names)}) SELECT 999999, {given} "
        f"FROM migrations_app_{table} ORDER BY id DESC LIMIT 1"
    )


def test_each_way_to_tamper_with_each_table_is_found(signed: Release) -> None:
    for table in WITH_ROWS:
        name, newest = f"migrations_app_{table}", f"(SELECT max(id) FROM migrations_app_{table})"
        assert "is not what was recorded" in found_after(table, f"UPDATE {name} SET {OTHER[table]} WHERE id = {newest}")
        assert "is gone" in found_after(table, f"DELETE FROM {name} WHERE id = {newest}")
        assert "is gone" in found_after(table, f"DELETE FROM {name} WHERE id = (SELECT min(id) FROM {name})")
        assert "has no entry in the audit log" in found_after(table, copied(table)), table
        assert found_after(table, *exchanged(table)), table
        assert "is gone" in found_after(table, f"DELETE FROM {name}")


def exchanged(table: str) -> Iterator[str]:
    """The two newest rows under each other's number."""
    name = f"migrations_app_{table}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {name} ORDER BY id DESC LIMIT 2")
        (first,), (second,) = cursor.fetchall()
    for old, new in ((first, -1), (second, first), (-1, second)):
        yield f"UPDATE {name} SET id = {new} WHERE id = {old}"


def test_the_application_is_refused_each_of_them(signed: Release) -> None:
    for table in WITH_ROWS:
        name = f"migrations_app_{table}"
        for statement in (f"UPDATE {name} SET {OTHER[table]}", f"DELETE FROM {name}", next(exchanged(table))):
            with pytest.raises(DatabaseError, match="refused"), transaction.atomic():
                execute(statement)
        with pytest.raises(DatabaseError), transaction.atomic():
            execute(copied(table), "SET CONSTRAINTS ALL IMMEDIATE")
        if table != "cutover":
            with pytest.raises(DatabaseError, match="TRUNCATE refused"), transaction.atomic():
                execute(truncatable(table, yes=False), f"TRUNCATE {name} CASCADE")


def test_a_row_without_its_entry_is_refused_at_commit(signed: Release) -> None:
    for table in ("gateevidence", "gatewaiver", "breakglass"):
        with pytest.raises(DatabaseError, match="without its entry in the audit log"), transaction.atomic():
            execute(copied(table), "SET CONSTRAINTS ALL IMMEDIATE")


def test_a_temporary_table_of_the_same_name_deceives_no_guard(signed: Release) -> None:
    forged = (
        "CREATE TEMPORARY TABLE migrations_app_auditentry ON COMMIT DROP AS SELECT 1::bigint AS seq, "
        "jsonb_build_object('action', 'evidence.record', 'after', to_jsonb(e) || jsonb_build_object('evidence', 999999,"
        " 'release', e.release_id, 'gate', e.gate_key, 'check', e.check_key, 'by', e.by_id)) AS data "
        "FROM public.migrations_app_gateevidence e ORDER BY e.id DESC LIMIT 1"
    )
    with pytest.raises(DatabaseError, match="without its entry in the audit log"), transaction.atomic():
        execute(forged, copied("gateevidence"), "SET CONSTRAINTS ALL IMMEDIATE")


def test_other_releases_catalogues_and_artefacts_are_found(signed: Release) -> None:
    assert found_after("release", "UPDATE migrations_app_release SET created_by_id = created_by_id + 1") == (
        "Release 2.0 is not what was registered: its by is another."
    )
    assert found_after("gatecatalogue", "UPDATE migrations_app_gatecatalogue SET sha256 = repeat('0', 64)") == (
        "Version 1 of catalogue:all is not what was saved: its hash differs."
    )
    assert "catalogue:orders is gone" in found_after(
        "gatecatalogue",
        "DELETE FROM migrations_app_gatecatalogue WHERE service_id IS NOT NULL",
    )
    assert "has another catalogue than entry number" in found_after(
        "releasestate", "UPDATE migrations_app_releasestate SET catalogue_id = NULL"
    )
    assert re.fullmatch(
        r"The artefact [0-9a-f]{12}… of evidence \d+ is gone\.",
        found_after("evidenceartefact", "DELETE FROM migrations_app_evidenceartefact"),
    )
    with transaction.atomic():
        as_superuser("evidenceartefact", "UPDATE migrations_app_evidenceartefact SET content = 'another log'")
        assert "is not what was attached" in first_difference(artefacts=True)
        transaction.set_rollback(True)


def unguarded(table: str) -> None:
    switch = f"ALTER TABLE migrations_app_{table} DISABLE TRIGGER {table}_guard"
    execute(f"SET CONSTRAINTS ALL IMMEDIATE; {switch}; SET CONSTRAINTS ALL DEFERRED")


def test_who_may_not_is_found_though_row_and_entry_agree(signed: Release, olga: User, omar: User) -> None:
    later = timezone.now() + timedelta(hours=1)
    asked = put(GateWaiver(release=signed, gate_key="tests", check_key="unit", requested_by=omar, expires_at=later))
    own = GateSignature(release=signed, gate_key="tests", by=olga, evidence_hash=sha256_of({}), expires_at=later)
    with transaction.atomic():
        unguarded("gatesignature")
        put(own)
        assert first_difference() == f"Signature {own.pk} is by who registered the release."
        transaction.set_rollback(True)
    with transaction.atomic():
        unguarded("waiverdecision")
        decided = put(WaiverDecision(waiver=asked, verb="approve", by=omar))
        assert first_difference() == f"Decision {decided.pk} is by who asked for it or registered the release."
        transaction.set_rollback(True)


def test_releases_under_each_others_number_are_found(signed: Release, olga: User) -> None:
    other = register_release(service=signed.service, release_id="3.0", schema_rev="sc-9", by=olga).release
    numbers = f"SET id = CASE id WHEN {signed.pk} THEN {other.pk} ELSE {signed.pk} END"
    table = "ALTER TABLE migrations_app_release"
    execute(f"SET CONSTRAINTS ALL IMMEDIATE; {table} DROP CONSTRAINT migrations_app_release_pkey CASCADE")
    told = found_after("release", f"UPDATE migrations_app_release {numbers} WHERE id IN ({signed.pk}, {other.pk})")
    assert "is one of release:orders/3.0: entry number" in told


def test_parts_that_are_not_those_of_the_hash_are_found(signed: Release) -> None:
    assert "is not what its hash is of" in found_after(
        "gatesignature", "UPDATE migrations_app_gatesignature SET parts = '{}'"
    )
    assert "cutover" in found_after("cutovergate", "UPDATE migrations_app_cutovergate SET state = 'waived'").lower()


def test_the_command_and_the_check_by_the_clock_say_it(signed: Release) -> None:
    call_command("verify_audit")
    assert check_and_keep().ok
    as_superuser(
        "gatesignature",
        "DELETE FROM migrations_app_gatesignature WHERE id = (SELECT max(id) FROM migrations_app_gatesignature)",
    )
    with pytest.raises(CommandError, match="is gone: entry number"):
        call_command("verify_audit")
    assert not check_and_keep().ok
    kept = AuditCheck.objects.get()
    assert (kept.ok, kept.head_seq) == (False, AuditEntry.objects.count())
    assert "is gone" in kept.sentence
