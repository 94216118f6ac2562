"""Drift on a real target: found, named, decided about, over again; and what a run does to it."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone

from migrations_app.admission.conditions import NotAdmitted
from migrations_app.admission.door import start_run
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.fleet import drift as verbs
from migrations_app.fleet import schema_look
from migrations_app.fleet.judging import standing_drift
from migrations_app.fleet.readings import read_when_possible, take_reading
from migrations_app.fleet.schema_words import Standing, stands
from migrations_app.models import AuditEntry, Environment, Run, SchemaDrift, SchemaReading, SchemaState
from migrations_app.models.schema import DriftState, Known, Source
from tests.runs.support import Fleet, make_fleet, person

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "The team knows of it."


@pytest.fixture
def fleet(target_database):
    """One table applied, so that a receipt says how the schema has to look."""
    made = make_fleet(target_database())
    made.put("0001_a", "CREATE TABLE a (id int PRIMARY KEY)", down="DROP TABLE a")
    made.apply()
    return made


def by_hand(fleet: Fleet, *statements: str) -> None:
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)


def read(fleet: Fleet) -> SchemaState:
    take_reading(fleet.environment, source=Source.SCHEDULE)
    return SchemaState.objects.get(environment=fleet.environment)


def standing(fleet: Fleet) -> Standing:
    state = SchemaState.objects.filter(environment=fleet.environment).first()
    return stands(state, standing_drift(fleet.environment), timezone.now()).standing


def test_a_run_is_followed_by_a_reading_that_its_receipt_proves(fleet):
    reading = SchemaReading.objects.get()
    assert (reading.source, reading.head_revision, reading.agrees) == (Source.RUN, "0001_a", True)
    state = SchemaState.objects.get()
    assert (state.expected, state.expected_by) == (fleet.receipts()[-1].fp_after, Known.RECEIPT)
    assert state.clean_at is not None
    assert standing(fleet) == Standing.CLEAN


def test_the_same_seen_again_moves_the_reading_and_makes_none(fleet):
    before = SchemaReading.objects.get()
    read(fleet)
    after = SchemaReading.objects.get()
    assert after.pk == before.pk
    assert after.taken_at == before.taken_at
    assert after.seen_until > before.seen_until


def test_what_somebody_changed_by_hand_is_named(fleet):
    by_hand(fleet, "ALTER TABLE a ADD COLUMN note text", "CREATE INDEX a_note ON a (note)")
    read(fleet)
    drift = SchemaDrift.objects.get()
    assert (drift.state, drift.differences, drift.expected_by) == (DriftState.OPEN, 2, Known.RECEIPT)
    assert "column public.a.note" in drift.summary
    assert "index public.a_note" in drift.summary
    assert drift.last_clean_at is not None
    assert standing(fleet) == Standing.DRIFTED
    assert AuditEntry.objects.filter(data__action="drift.found").count() == 1


def test_it_is_one_drift_however_often_it_is_seen(fleet):
    by_hand(fleet, "CREATE TABLE b ()")
    read(fleet)
    read(fleet)
    assert SchemaDrift.objects.count() == 1
    assert AuditEntry.objects.filter(data__action__startswith="drift.").count() == 1


def test_it_ends_by_itself_when_the_target_is_put_right(fleet):
    by_hand(fleet, "CREATE TABLE b ()")
    read(fleet)
    by_hand(fleet, "DROP TABLE b")
    read(fleet)
    drift = SchemaDrift.objects.get()
    assert (drift.state, drift.ended_at is not None) == (DriftState.GONE, True)
    assert standing(fleet) == Standing.CLEAN


def test_ignored_it_stays_quiet_until_its_date_and_speaks_again_when_more_changes(fleet):
    ann = person("ann", "release-manager")
    by_hand(fleet, "CREATE TABLE b ()")
    read(fleet)
    until = timezone.now() + timedelta(days=2)
    verbs.ignore_drift(environment=fleet.environment, until=until, reason=WHY, by=ann)
    read(fleet)
    assert standing(fleet) == Standing.IGNORED
    by_hand(fleet, "CREATE TABLE c ()")
    read(fleet)
    assert standing(fleet) == Standing.DRIFTED
    assert SchemaDrift.objects.get().differences == 2
    verbs.ignore_drift(environment=fleet.environment, until=until, reason=WHY, by=ann)
    SchemaDrift.objects.update(ignore_until=timezone.now() - timedelta(seconds=1))
    assert standing(fleet) == Standing.DRIFTED
    read(fleet)
    assert SchemaDrift.objects.get().state == DriftState.OPEN


@pytest.mark.parametrize(
    ("days", "reason", "code"), [(31, WHY, "bad_until"), (-1, WHY, "bad_until"), (1, "no", "reason_missing")]
)
def test_it_is_ignored_for_a_month_at_most_and_with_a_reason(fleet, days, reason, code):
    by_hand(fleet, "CREATE TABLE b ()")
    read(fleet)
    until = timezone.now() + timedelta(days=days)
    with pytest.raises(Refused) as refusal:
        verbs.ignore_drift(environment=fleet.environment, until=until, reason=reason, by=fleet.olga)
    assert refusal.value.code == code
    assert SchemaDrift.objects.get().state == DriftState.OPEN


def test_accepted_it_is_what_is_expected_until_the_next_receipt(fleet):
    by_hand(fleet, "CREATE TABLE b ()")
    read(fleet)
    found = SchemaDrift.objects.get().found_id
    verbs.accept_drift(environment=fleet.environment, found=found, reason=WHY, by=fleet.olga)
    state = read(fleet)
    assert (state.expected, state.expected_by) == (found, Known.ACCEPTED)
    assert standing(fleet) == Standing.CLEAN
    assert SchemaDrift.objects.get().state == DriftState.ACCEPTED
    by_hand(fleet, "DROP TABLE b")
    read(fleet)
    assert SchemaDrift.objects.filter(state=DriftState.OPEN).count() == 1
    by_hand(fleet, "CREATE TABLE b ()")
    read(fleet)
    fleet.put("0002_c", "CREATE TABLE c ()")
    fleet.apply()
    assert SchemaState.objects.get().expected_by == Known.RECEIPT


def test_only_what_was_shown_is_accepted(fleet):
    by_hand(fleet, "CREATE TABLE b ()")
    read(fleet)
    found = SchemaDrift.objects.get().found_id
    by_hand(fleet, "CREATE TABLE c ()")
    read(fleet)
    with pytest.raises(Refused) as refusal:
        verbs.accept_drift(environment=fleet.environment, found=found, reason=WHY, by=fleet.olga)
    assert refusal.value.code == "drift_differs"
    assert SchemaDrift.objects.get().state == DriftState.OPEN


def test_without_a_drift_there_is_nothing_to_decide(fleet):
    with pytest.raises(Refused) as refusal:
        verbs.accept_drift(environment=fleet.environment, found="x", reason=WHY, by=fleet.olga)
    assert refusal.value.code == "no_drift"


@pytest.mark.parametrize(
    ("stage", "blocks", "expected"),
    [("prod", None, ["drift"]), ("prod", False, []), ("dev", True, ["drift"])],
)
def test_drift_blocks_runs_where_its_policy_says_so(fleet, stage, blocks, expected):
    Environment.objects.update(stage=stage)
    verbs.set_policy(environment=fleet.environment, blocks=blocks, by=fleet.olga)
    by_hand(fleet, "CREATE TABLE b ()")
    read(fleet)
    fleet.put("0002_c", "CREATE TABLE c ()")
    assert codes(fleet) == expected


def test_it_does_not_block_elsewhere_nor_while_it_is_ignored(fleet, target_database):
    prod = make_fleet(target_database(), service="other")
    Environment.objects.filter(pk=fleet.environment.pk).update(order=1)
    Environment.objects.filter(pk=prod.environment.pk).update(service=fleet.service, order=2, stage="prod", name="prod")
    by_hand(fleet, "CREATE TABLE b ()")
    read(fleet)
    fleet.put("0002_c", "CREATE TABLE c ()")
    assert codes(fleet) == []
    verbs.set_policy(environment=fleet.environment, blocks=True, by=fleet.olga)
    assert codes(fleet) == ["drift"]
    until = timezone.now() + timedelta(days=1)
    verbs.ignore_drift(environment=fleet.environment, until=until, reason=WHY, by=fleet.olga)
    assert codes(fleet) == []


def test_a_schema_that_nobody_read_for_a_day_blocks_where_a_person_said_that_drift_does(fleet):
    fleet.put("0002_c", "CREATE TABLE c ()")
    SchemaState.objects.update(read_at=timezone.now() - timedelta(hours=25))
    assert codes(fleet) == []
    verbs.set_policy(environment=fleet.environment, blocks=True, by=fleet.olga)
    assert codes(fleet) == ["schema_unknown"]


def codes(fleet: Fleet) -> list[str]:
    """What is in the way of an apply; one that nothing stops is cancelled again."""
    try:
        run = start_run(environment=fleet.environment, direction="up", by=fleet.olga).run
    except NotAdmitted as refusal:
        return [condition.code for condition in refusal.conditions]
    Run.objects.filter(pk=run.pk).update(status="cancelled")
    return []


def test_what_a_run_does_is_no_drift_but_a_drift_it_met_is_carried_into_its_receipt(fleet):
    by_hand(fleet, "CREATE TABLE b ()")
    read(fleet)
    verbs.set_policy(environment=fleet.environment, blocks=False, by=fleet.olga)
    fleet.put("0002_c", "CREATE TABLE c ()", down="DROP TABLE c")
    fleet.apply()
    assert SchemaDrift.objects.get().state == DriftState.CARRIED
    assert standing(fleet) == Standing.CLEAN


def test_a_drift_that_was_gone_before_the_run_is_gone(fleet):
    by_hand(fleet, "CREATE TABLE b ()")
    read(fleet)
    by_hand(fleet, "DROP TABLE b")
    verbs.set_policy(environment=fleet.environment, blocks=False, by=fleet.olga)
    fleet.put("0002_c", "CREATE TABLE c ()")
    fleet.apply()
    assert SchemaDrift.objects.get().state == DriftState.GONE


def test_while_a_run_is_open_nothing_is_read(fleet):
    fleet.put("0002_c", "CREATE TABLE c ()")
    run = fleet.start()
    readings = SchemaReading.objects.count()
    with pytest.raises(Refused) as refusal:
        verbs.look_now(environment=fleet.environment, by=fleet.olga)
    assert refusal.value.code == "run_in_progress"
    assert read_when_possible(fleet.environment, source=Source.SCHEDULE) is None
    assert SchemaReading.objects.count() == readings
    assert SchemaState.objects.get().failure == ""
    Run.objects.filter(pk=run.pk).update(status="cancelled")
    assert read_when_possible(fleet.environment, source=Source.SCHEDULE) is not None


def test_a_run_that_is_requested_while_the_target_is_read_takes_the_reading_away(fleet, monkeypatch):
    fleet.put("0002_c", "CREATE TABLE c ()")
    genuine = schema_look.look

    def meanwhile(*args, **more):
        found = genuine(*args, **more)
        fleet.start()
        return found

    monkeypatch.setattr("migrations_app.fleet.readings.look", meanwhile)
    before = SchemaReading.objects.get().seen_until
    with pytest.raises(Refused) as refusal:
        take_reading(fleet.environment, source=Source.SCHEDULE)
    assert refusal.value.code == "run_in_progress"
    assert SchemaReading.objects.get().seen_until == before


def test_a_revision_that_stopped_half_way_is_not_called_drift(fleet):
    fleet.put("0002_b", "CREATE INDEX CONCURRENTLY a_id ON a (id); SELECT 1 / 0;")
    run = fleet.apply()
    assert run.status == "failed"
    assert SchemaState.objects.get().half_done == "0002_b"
    assert standing(fleet) == Standing.HALF_DONE
    assert not SchemaDrift.objects.exists()


def test_the_first_reading_without_a_receipt_that_counts_is_a_baseline_and_says_so(target_database):
    fleet = make_fleet(target_database())
    assert standing(fleet) == Standing.NEVER
    by_hand(fleet, "CREATE TABLE old ()")
    state = read(fleet)
    assert (state.expected_by, state.clean_at) == (Known.READING, None)
    assert SchemaReading.objects.get().agrees is None
    assert standing(fleet) == Standing.BASELINE
    by_hand(fleet, "CREATE TABLE new ()")
    read(fleet)
    assert SchemaDrift.objects.get().summary == "One object differs: table public.new."


def test_a_receipt_of_other_rules_is_not_compared(fleet):
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("UPDATE lockstep.migration_history SET fp_after = 'fp:v0:' || repeat('0', 64)")
    by_hand(fleet, "CREATE TABLE b ()")
    SchemaState.objects.update(expected="fp:v0:" + "0" * 64)
    state = read(fleet)
    assert state.expected_by == Known.READING
    assert not SchemaDrift.objects.exists()


def test_a_target_that_is_away_is_unknown_with_the_time_it_was_last_read(fleet):
    Environment.objects.update(dsn_kind="env", dsn_reference="NOT_SET_ANYWHERE")
    fleet.environment.refresh_from_db()
    before = SchemaState.objects.get().read_at
    with pytest.raises(LockstepError):
        take_reading(fleet.environment, source=Source.SCHEDULE)
    state = SchemaState.objects.get()
    assert (state.read_at, bool(state.failure)) == (before, True)
    assert standing(fleet) == Standing.UNREADABLE


def test_a_table_that_somebody_keeps_locked_is_not_waited_for(fleet):
    with psycopg.connect(fleet.url) as conn:
        conn.execute("LOCK TABLE a IN ACCESS EXCLUSIVE MODE")
        started = timezone.now()
        assert read_when_possible(fleet.environment, source=Source.SCHEDULE) is None
        assert timezone.now() - started < timedelta(seconds=5)
    assert "another session keeps a table locked" in SchemaState.objects.get().failure


def test_what_was_read_too_long_ago_is_unknown(fleet):
    SchemaState.objects.update(read_at=timezone.now() - timedelta(hours=2))
    assert standing(fleet) == Standing.STALE
