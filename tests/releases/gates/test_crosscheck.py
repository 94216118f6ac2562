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

from migrations_app.models import (
    AuditCheck,
    AuditEntry,
    GateCatalogue,
    GateSignature,
    GateWaiver,
    Release,
    WaiverDecision,
)
from migrations_app.releases.crosscheck import check_and_keep, first_difference
from migrations_app.releases.gates.catalogue import BadCatalogue, read_catalogue, sha256_of
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.registering import register_release
from tests.audit_flush import truncatable
from tests.releases.gates.rows import put
from tests.releases.gates.shapes import TESTS
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
    name = "migrations_app_evidenceartefact"
    for change in (
        f"ALTER TABLE {name} DROP CONSTRAINT evidenceartefact_own_hash; UPDATE {name} SET content = 'another log'",
        f"UPDATE {name} SET size = size + 1",
    ):
        with transaction.atomic():
            as_superuser("evidenceartefact", change)
            assert "is not what was attached" in first_difference(artefacts=True)
            transaction.set_rollback(True)


def test_what_decides_nothing_is_compared_as_well(signed: Release, ada: User) -> None:
    for column in ("chain = repeat('0', 64)", "created_at = created_at + interval '1 hour'"):
        told = found_after("release", f"UPDATE migrations_app_release SET {column}")
        assert told.startswith("Release 2.0 is not what was registered: its ")
    edit_catalogue(service=signed.service, content={"gates": [TESTS]}, note="for the exchange", by=ada)
    own = "WHERE service_id IS NOT NULL"
    numbers = list(GateCatalogue.objects.exclude(service=None).order_by("-id").values_list("id", flat=True)[:2])
    moved = zip((numbers[0], numbers[1], -1), (-1, numbers[0], numbers[1]), strict=True)
    for statements in (
        [f"UPDATE migrations_app_gatecatalogue SET note = 'another' {own}"],
        [f"UPDATE migrations_app_gatecatalogue SET created_by_id = NULL {own}"],
        [f"UPDATE migrations_app_gatecatalogue SET created_at = now() + interval '1 hour' {own}"],
        [f"UPDATE migrations_app_gatecatalogue SET id = {new} WHERE id = {old}" for old, new in moved],
    ):
        assert "of catalogue:orders is not what was saved: its " in found_after("gatecatalogue", *statements)
    assert re.fullmatch(
        r"Evidence \d+ does not lead to its artefact any more\.",
        found_after("gateevidence", "UPDATE migrations_app_gateevidence SET artefact_id = NULL"),
    )


def test_rows_that_no_verb_made_are_refused_at_commit(signed: Release) -> None:
    """As the application's role: what the verifier would find does not come about in the first place."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM migrations_app_cutover")
        cutover = cursor.fetchone()[0]
    for statement, refusal in (
        (
            "INSERT INTO migrations_app_release (service_id, release_id, schema_rev, schema_rev_min, schema_rev_max, "
            "index_hash, secrets_rev, created_by_id) SELECT service_id, '9.9', schema_rev, schema_rev_min, "
            "schema_rev_max, '', '', created_by_id FROM migrations_app_release",
            "a row of migrations_app_release without its entry",
        ),
        (
            "INSERT INTO migrations_app_gatecatalogue (service_id, version, content, sha256, note) "
            "SELECT service_id, 99, content, sha256, note FROM migrations_app_gatecatalogue",
            "a row of migrations_app_gatecatalogue without its entry",
        ),
        (
            "INSERT INTO migrations_app_cutovergate (cutover_id, gate_key, state, evidence_hash, signers) "
            f"VALUES ({cutover}, 'one more', 'pass', 'x', '[\"ann\"]')",
            "does not tell of was refused",
        ),
        (
            "INSERT INTO migrations_app_evidenceartefact (sha256, content, size) VALUES (repeat('a', 64), 'x', 1)",
            "evidenceartefact_own_hash",
        ),
    ):
        with pytest.raises(DatabaseError, match=refusal), transaction.atomic():
            execute(statement, "SET CONSTRAINTS ALL IMMEDIATE")


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
    told = found_after("cutover", "UPDATE migrations_app_cutover SET targets_hash = repeat('0', 64)")
    assert "is not what was recorded: its targets_hash is another." in told
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


def test_numbers_that_the_database_writes_otherwise_are_no_difference(signed: Release, ada: User) -> None:
    """1e+16 comes back as a whole number, and -0.0 as 0.0."""
    settings: dict[str, object] = {"url": "http://127.0.0.1/health"}
    settings["assertions"] = [{"path": "a", "is": "less", "value": value} for value in (1e16, 1e23, -0.0, 5e-324, 0.1)]
    check = {"key": "http", "title": "It answers", "kind": "http", "settings": settings}
    content = {"gates": [{"key": "build", "title": "Build", "checks": [check]}]}
    edit_catalogue(service=signed.service, content=content, note="large and small numbers", by=ada)
    assert first_difference() == ""


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"blocks": False, "blocks_from": "2027-1-1"}, "it is a date such as 2027-01-31."),
        ({"blocks": False, "blocks_from": "2027-01-1"}, "it is a date such as 2027-01-31."),
        ({"kind": " fact "}, "has the kind ' fact '; there are"),
    ],
)
def test_what_readers_would_take_otherwise_is_no_catalogue(values: dict[str, object], why: str) -> None:
    gates = [{"key": "build", "title": "Build", "checks": [{"key": "it", "title": "It", **values}]}]
    with pytest.raises(BadCatalogue, match=re.escape(why)):
        read_catalogue({"gates": gates})
