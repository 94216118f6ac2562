"""The ledger against the receipts: what is missing is copied, what differs is said."""

from __future__ import annotations

import psycopg
import pytest

from migrations_app.fleet import ledger
from migrations_app.jobs.schedule import compare
from migrations_app.models import AppliedRevision, Environment, LedgerEntry, Revision
from tests.runs.support import make_fleet

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fleet(target_database):
    made = make_fleet(target_database())
    for number in (1, 2, 3):
        made.put(f"000{number}_t", f"CREATE TABLE t{number} ()", down=f"DROP TABLE t{number}")
    made.apply()
    return made


def note(fleet) -> str:
    compare(fleet.environment)
    return Environment.objects.get(pk=fleet.environment.pk).reconcile_note


def tamper(fleet, *statements: str) -> None:
    """As a superuser of the target could."""
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        for statement in statements:
            conn.execute(statement)


def test_it_finds_nothing_when_nothing_is_wrong(fleet):
    assert note(fleet) == ""
    numbers = ledger.summary(fleet.service)
    assert (numbers.receipts, numbers.ledger, numbers.twice, numbers.out_of_order, numbers.changed) == (3, 3, 0, 0, 0)


def test_it_copies_what_the_ledger_lost(fleet):
    LedgerEntry.objects.filter(seq__in=(1, 2)).delete()
    AppliedRevision.objects.all().delete()
    assert note(fleet) == ""
    assert LedgerEntry.objects.count() == 3
    assert sorted(AppliedRevision.objects.values_list("revision_id", flat=True)) == ["0001_t", "0002_t", "0003_t"]


def test_it_says_when_a_target_was_restored_to_an_older_point(fleet):
    tamper(fleet, "DELETE FROM lockstep.migration_history WHERE seq = 3")
    assert "restored to an older point" in note(fleet)
    assert LedgerEntry.objects.count() == 3


def test_it_says_when_a_receipt_was_changed(fleet):
    tamper(fleet, "UPDATE lockstep.migration_history SET checksum = 'sha256:v1:other' WHERE seq = 2")
    assert "0002_t is applied with other bytes" in note(fleet)


def test_it_says_when_the_revision_has_other_bytes_now(fleet):
    Revision.objects.filter(revision_id="0003_t").update(checksum="sha256:v1:edited")
    assert "0003_t is applied with other bytes" in note(fleet)
    assert ledger.summary(fleet.service).changed == 1


def test_it_says_when_receipts_are_out_of_order(fleet):
    tamper(fleet, "UPDATE lockstep.migration_history SET parent = '0001_t' WHERE seq = 3")
    assert "out of order" in note(fleet)


def test_it_marks_a_target_that_cannot_be_read_and_keeps_the_ledger(fleet):
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        conn.execute("DROP SCHEMA lockstep CASCADE")
    assert compare(fleet.environment) is False
    fleet.environment.refresh_from_db()
    assert fleet.environment.reachability == "unreachable"
    assert LedgerEntry.objects.count() == 3


def test_it_marks_a_target_whose_host_is_no_name(fleet, monkeypatch):
    """It is written outside of Lockstep, so nothing refused it when it was changed."""
    monkeypatch.setenv("SHOP_DATABASE", "postgresql://ann@a..b:5432/shop")
    Environment.objects.filter(pk=fleet.environment.pk).update(dsn_kind="env", dsn_reference="SHOP_DATABASE")
    fleet.environment.refresh_from_db()
    assert compare(fleet.environment) is False
    fleet.environment.refresh_from_db()
    assert fleet.environment.reachability == "unreachable"
    assert "“host”" in fleet.environment.reachability_note


def test_it_marks_a_target_with_a_receipt_that_no_worker_can_have_written(fleet):
    LedgerEntry.objects.filter(seq=3).delete()
    tamper(fleet, "UPDATE lockstep.migration_history SET phase = 'much too long a phase' WHERE seq = 3")
    assert compare(fleet.environment) is False
    fleet.environment.refresh_from_db()
    assert fleet.environment.reachability == "unreachable"
    assert "one that no worker wrote: value too long" in fleet.environment.reachability_note
    assert LedgerEntry.objects.count() == 2
    fleet.put("0004_t", "CREATE TABLE t4 ()")
    assert fleet.apply().status == "succeeded"
    fleet.environment.refresh_from_db()
    assert fleet.environment.reachability == "unreachable"
    tamper(fleet, "UPDATE lockstep.migration_history SET phase = 'expand' WHERE seq = 3")
    assert compare(fleet.environment) is True
    assert LedgerEntry.objects.count() == 4


def test_what_environments_counted_equals_what_the_ledger_counts(fleet):
    def both() -> None:
        fleet.environment.refresh_from_db()
        kept, counted = ledger.agreement(fleet.service), ledger.summary(fleet.service)
        assert (kept.receipts, kept.ledger, kept.superseded) == (counted.receipts, counted.ledger, counted.superseded)
        assert (kept.twice, kept.out_of_order, kept.changed) == (counted.twice, counted.out_of_order, counted.changed)

    both()
    assert note(fleet) == ""
    both()
    fleet.put("0004_t", "CREATE TABLE four ()", down="DROP TABLE four")
    fleet.apply()
    both()
    fleet.apply("down")
    both()
    assert ledger.agreement(fleet.service).ledger == 5


def test_environments_count_what_a_comparison_finds(fleet):
    tamper(fleet, "UPDATE lockstep.migration_history SET parent = '0001_t' WHERE seq = 3")
    note(fleet)
    assert ledger.agreement(fleet.service).out_of_order == 1
    Revision.objects.filter(revision_id="0002_t").update(checksum="sha256:v1:edited")
    note(fleet)
    assert ledger.agreement(fleet.service).changed == 1
