"""From the verb to the receipt to the ledger, on a real target."""

from __future__ import annotations

import threading

import psycopg
import pytest

from migrations_app.admission.conditions import NotAdmitted
from migrations_app.engine.errors import Refused
from migrations_app.jobs.apply import execute
from migrations_app.models import AuditEntry, LedgerEntry, OutboxItem, Run, RunLogLine, RunStep, StepAttempt
from migrations_app.runs import actions
from migrations_app.statuses import RunStatus

from .support import make_fleet

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fleet(target_database):
    return make_fleet(target_database())


def test_it_applies_and_shows_what_stands(fleet):
    fleet.put("0001_a", "CREATE TABLE a (id int)", verify="SELECT to_regclass('a') IS NOT NULL")
    fleet.put("0002_b", "CREATE INDEX CONCURRENTLY a_id ON a (id)")
    run = fleet.apply()
    assert run.status == RunStatus.SUCCEEDED
    assert (run.steps_done, run.steps_total) == (2, 2)
    assert [(e.seq, e.revision_id, e.checksum) for e in LedgerEntry.objects.order_by("seq")] == [
        (r.seq, r.revision_id, r.checksum) for r in fleet.receipts()
    ]
    assert fleet.environment.head_revision == "0002_b"
    assert {phase: run.phases[phase]["state"] for phase in run.phases} == dict.fromkeys(actions.PHASES, "done")
    assert list(RunLogLine.objects.values_list("seq", flat=True)) == list(range(1, run.log_seq + 1))
    assert set(StepAttempt.objects.values_list("outcome", flat=True)) == {"done"}


def test_the_time_of_a_verify_that_failed_is_its_own_and_the_run_phase_is_done(fleet):
    fleet.put("0001_a", "CREATE TABLE a (id int)", verify="SELECT pg_sleep(0.2) IS NULL")
    run = fleet.apply()
    assert run.status == RunStatus.FAILED
    assert (run.phases["run"]["state"], run.phases["verify"]["state"]) == ("done", "active")
    assert run.phases["verify"]["work_ms"] >= 200


def test_it_writes_run_steps_audit_and_wake_up_together(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    run = fleet.start()
    assert RunStep.objects.filter(run=run).count() == 1
    assert OutboxItem.objects.filter(run=run).count() == 1
    assert AuditEntry.objects.values_list("data__action", flat=True)[0] == "run.request"


def test_it_runs_once_however_often_it_is_woken(fleet):
    fleet.put("0001_a", "CREATE TABLE a (id int); INSERT INTO a VALUES (1)")
    run = fleet.start()
    assert [execute(run.pk) for _ in range(10)] == ["succeeded", *["not claimed"] * 9]
    assert fleet.value("SELECT count(*) FROM a") == 1


def test_it_gives_the_same_run_for_the_same_key(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    assert fleet.start(idempotency_key="k").pk == fleet.start(idempotency_key="k").pk
    with pytest.raises(Refused) as refusal:
        fleet.start(to="0001_a", idempotency_key="k")
    assert refusal.value.code == "idempotency_conflict"


def test_it_refuses_a_second_run_and_says_why(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    run = fleet.start()
    with pytest.raises(NotAdmitted) as refusal:
        fleet.start()
    assert [c.code for c in refusal.value.conditions] == ["run_open"]
    assert f"Run {run.pk}" in refusal.value.message


def test_it_refuses_when_there_is_nothing_to_do(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    fleet.apply()
    with pytest.raises(NotAdmitted) as refusal:
        fleet.start()
    assert [c.code for c in refusal.value.conditions] == ["nothing_to_do"]
    assert Run.objects.count() == 1


def test_it_rolls_back_one_step_or_to_a_revision_or_all(fleet):
    for number in range(1, 6):
        fleet.put(f"000{number}_t", f"CREATE TABLE t{number} ()", down=f"DROP TABLE t{number}")
    fleet.apply()
    assert fleet.apply("down").status == RunStatus.ROLLED_BACK
    assert fleet.environment.head_revision == "0004_t"
    fleet.apply("down", "0002_t")
    assert fleet.environment.head_revision == "0002_t"
    fleet.apply("down", "zero")
    assert fleet.environment.head_revision == ""
    assert fleet.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert fleet.apply().status == RunStatus.SUCCEEDED
    assert [e.cycle for e in LedgerEntry.objects.order_by("seq")][-5:] == [2, 2, 2, 2, 2]


def test_it_does_not_roll_back_what_has_no_down(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    fleet.apply()
    with pytest.raises(NotAdmitted) as refusal:
        fleet.start("down")
    assert [c.code for c in refusal.value.conditions] == ["irreversible"]


def test_it_fails_with_what_was_not_done(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    fleet.put("0002_b", "SELECT 1/0")
    run = fleet.apply()
    assert run.status == RunStatus.FAILED
    assert run.error["code"] == "sqlstate_22012"
    assert "division by zero" in run.error["message"]
    assert "rolled back" in run.error["not_done"]
    assert fleet.environment.head_revision == "0001_a"
    assert list(RunStep.objects.values_list("status", flat=True)) == ["done", "failed"]


def test_it_refuses_changed_bytes_of_an_applied_revision_and_remembers_that(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    fleet.apply()
    with pytest.raises(Refused) as refusal:
        fleet.put("0001_a", "CREATE TABLE a (id int)")
    assert refusal.value.code == "revision_changed"
    assert "applied in dev-eu" in refusal.value.message
    revision = fleet.put("0001_a", "CREATE TABLE a ()").revision
    revision.refresh_from_db()
    assert revision.refused_checksum != ""
    assert AuditEntry.objects.filter(data__action="revision.change_refused").exists()


@pytest.mark.parametrize(
    "stored, offered, told",
    [
        ("DROP TABLE a", None, r"offered without its down file \(sha256:v1:\w+… is stored\)\."),
        (None, "DROP TABLE a", r"offered with a down file \(sha256:v1:\w+…\), and is stored without one\."),
        ("DROP TABLE a", "DROP TABLE a CASCADE", r"other bytes of its down file \(sha\S+… stored, sha\S+… offered\)\."),
    ],
)
def test_it_says_in_words_which_file_of_an_applied_revision_differs(fleet, stored, offered, told):
    fleet.put("0001_a", "CREATE TABLE a ()", down=stored)
    fleet.apply()
    with pytest.raises(Refused, match=told):
        fleet.put("0001_a", "CREATE TABLE a ()", down=offered)


def test_it_takes_changed_bytes_of_what_is_applied_nowhere(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    put = fleet.put("0001_a", "CREATE TABLE b ()")
    assert (put.created, put.changed) == (False, True)
    fleet.apply()
    assert fleet.value("SELECT to_regclass('b') IS NOT NULL") is True


def test_it_cancels_and_pauses_what_is_queued(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    run = fleet.start()
    assert actions.pause(run, by=fleet.olga).status == RunStatus.PAUSED
    assert execute(run.pk) == "not claimed"
    assert actions.resume(run, by=fleet.olga).status == RunStatus.QUEUED
    assert actions.cancel(run, by=fleet.olga, reason="wrong one").status == RunStatus.CANCELLED
    with pytest.raises(Refused) as refusal:
        actions.resume(run, by=fleet.olga)
    assert refusal.value.code == "run_is_cancelled"


def test_it_copies_receipts_the_ledger_lost(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    fleet.apply()
    LedgerEntry.objects.all().delete()
    fleet.put("0002_b", "CREATE TABLE b ()")
    fleet.apply()
    assert LedgerEntry.objects.count() == 2


@pytest.mark.parametrize("let_go", [False, True])
def test_it_counts_only_what_was_really_waited_for_a_lock(fleet, let_go):
    fleet.put("0001_a", "CREATE TABLE a ()")
    fleet.apply()
    fleet.environment.lock_window_seconds = 2
    fleet.environment.save()
    fleet.put("0002_b", "ALTER TABLE a ADD COLUMN b int")
    with psycopg.connect(fleet.url) as holder:
        holder.execute("SELECT * FROM a")
        timer = threading.Timer(1.0, holder.rollback)
        if let_go:
            timer.start()
        run = fleet.apply()
        timer.cancel()
        holder.rollback()
    assert run.status == (RunStatus.SUCCEEDED if let_go else RunStatus.FAILED)
    step = run.steps.get()
    took = (step.finished_at - step.started_at).total_seconds() * 1000
    assert 0 < step.wait_ms <= took
    assert step.wait_ms + step.work_ms > 0.8 * took
    assert abs(run.phases["run"]["wait_ms"] - step.wait_ms) <= 1
