"""Pause, cancel, take-over and verdicts, while a run is really at work in another thread."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from django.db import connection

from migrations_app.engine.contract import nontransactional
from migrations_app.engine.contract.events import Event
from migrations_app.engine.errors import Refused
from migrations_app.jobs import apply
from migrations_app.models import Run, RunLogLine, StepAttempt
from migrations_app.runs import actions, claims
from migrations_app.runs.detail import bars, step_window
from migrations_app.runs.execution import Execution
from migrations_app.runs.verdict import meaning, verdict
from migrations_app.statuses import RunStatus
from tests.held import ADVISORY_LOCKS
from tests.waiting import until

from .support import make_fleet, person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fleet(target_database):
    return make_fleet(target_database())


@pytest.fixture
def at_work():
    """Executes a run in a thread, as a worker would; joins it at the end."""
    threads: list[threading.Thread] = []

    def start(run: Run) -> threading.Thread:
        def body() -> None:
            try:
                apply.execute(run.pk)
            finally:
                connection.close()

        thread = threading.Thread(target=body)
        thread.start()
        threads.append(thread)
        return thread

    yield start
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()


def claimed(run: Run, worker: str) -> claims.Claim:
    claim = claims.claim(run.pk, worker)
    assert claim is not None
    return claim


def status(run: Run) -> str:
    return Run.objects.values_list("status", flat=True).get(pk=run.pk)


def times(run: Run) -> tuple[int, int]:
    """Milliseconds worked, of the last step and of the stage."""
    run.refresh_from_db()
    stage = next(bar for bar in bars(run) if bar.name == "Run")
    return step_window(run).shown[-1].work_ms, stage.work_ms


def started_behind(holder: psycopg.Connection, fleet: Any, at_work: Any) -> Any:
    """A run at work that has found out who is in its way."""
    run = fleet.start()
    at_work(run)
    named = {"waiting__blockers__contains": [{"pid": holder.info.backend_pid}]}
    until(lambda: Run.objects.filter(pk=run.pk, **named).exists(), what="the holder is named")
    run.refresh_from_db()
    return run


def test_it_cancels_a_statement_in_progress(fleet, at_work):
    fleet.put("0001_a", "CREATE TABLE a ()")
    fleet.put("0002_b", "SELECT pg_sleep(600)")
    run = fleet.start()
    at_work(run)
    until(lambda: fleet.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
    until(lambda: times(run)[0] > 0, what="the time of the statement counts while it runs")
    assert min(times(run)) > 0
    actions.cancel(run, by=fleet.olga, reason="too long")
    until(lambda: status(run) == RunStatus.CANCELLED, what="cancelled")
    assert [r.revision_id for r in fleet.receipts()] == ["0001_a"]
    assert min(times(run)) > 0
    assert times(run) == times(run), "nothing grows any more"
    assert StepAttempt.objects.get(step__run=run, step__revision_id="0002_b").outcome == "cancelled"
    assert fleet.value(ADVISORY_LOCKS) == 0


def test_it_leaves_no_invalid_index_when_a_build_is_cancelled(fleet, at_work):
    fleet.put("0001_a", "CREATE TABLE a (id int)")
    fleet.apply()
    fleet.put("0002_b", "CREATE INDEX CONCURRENTLY a_id ON a (id)")
    with psycopg.connect(fleet.url, application_name="report") as holder:
        holder.execute("SELECT * FROM a")
        holder.execute("INSERT INTO a VALUES (1)")
        run = started_behind(holder, fleet, at_work)
        assert run.status == RunStatus.WAITING_FOR_LOCK
        assert run.waiting["blockers"][0]["application"] == "report"
        pid = holder.info.backend_pid
        assert verdict(run) == f"Waiting on dev-eu: pid {pid} (report) has an open transaction that must end first."
        assert meaning(run).startswith("A statement outside a transaction waits")
        actions.cancel(run, by=fleet.olga)
        until(lambda: fleet.value("SELECT count(*) FROM pg_stat_activity WHERE query ~ '^DROP INDEX'"))
        holder.rollback()
    until(lambda: status(run) == RunStatus.CANCELLED, what="cancelled")
    assert fleet.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
    run.refresh_from_db()
    assert run.error is None


def test_it_tells_which_invalid_index_a_cancelled_build_left_and_the_way_out(fleet, at_work, monkeypatch):
    monkeypatch.setattr(nontransactional, "_CANCELLED_S", 0.5)
    fleet.put("0001_a", "CREATE TABLE a (id int)")
    fleet.apply()
    fleet.put("0002_b", "CREATE INDEX CONCURRENTLY a_id ON a (id)")
    with psycopg.connect(fleet.url, application_name="report") as holder:
        holder.execute("INSERT INTO a VALUES (1)")
        run = started_behind(holder, fleet, at_work)
        actions.cancel(run, by=fleet.olga)
        until(lambda: status(run) == RunStatus.CANCELLED, what="cancelled")
        holder.rollback()
    assert fleet.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 1
    run.refresh_from_db()
    left = "Left in the target: index a_id exists but is invalid."
    assert verdict(run) == f"Cancelled on dev-eu after 0 of 1 steps. {left}"
    assert (run.error["code"], run.error["message"]) == ("left_half_made", left)
    assert run.error["next_step"].startswith("Apply again once nobody uses it")
    assert "DROP INDEX CONCURRENTLY a_id" in run.error["next_step"]
    assert RunLogLine.objects.filter(run=run, message__contains=left).exists()
    assert fleet.apply().status == RunStatus.SUCCEEDED
    assert fleet.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0


def test_it_finishes_a_drop_that_was_cancelled_half_way(fleet, at_work):
    fleet.put("0001_a", "CREATE TABLE a (id int); CREATE INDEX a_id ON a (id)")
    fleet.apply()
    fleet.put("0002_b", "DROP INDEX CONCURRENTLY a_id")
    with psycopg.connect(fleet.url, application_name="report") as holder:
        holder.execute("SELECT * FROM a")
        run = started_behind(holder, fleet, at_work)
        actions.cancel(run, by=fleet.olga)
        with pytest.raises(Refused):
            actions.pause(run, by=fleet.olga)
        until(lambda: status(run) == RunStatus.CANCELLED, what="cancelled")
        holder.rollback()
    run.refresh_from_db()
    assert run.error["message"] == "Left in the target: index a_id exists but is invalid."
    assert fleet.apply().status == RunStatus.SUCCEEDED
    assert fleet.value("SELECT to_regclass('a_id') IS NULL") is True


def test_it_pauses_between_statements_and_goes_on(fleet, at_work):
    fleet.put("0001_a", "CREATE TABLE a ()")
    fleet.put("0002_b", "SELECT pg_advisory_lock(42), pg_advisory_unlock(42)")
    fleet.put("0003_c", "CREATE TABLE c ()")
    with psycopg.connect(fleet.url, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(42)")
        run = fleet.start()
        at_work(run)
        until(lambda: Run.objects.get(pk=run.pk).steps_done == 1, what="the first step is done")
        asked_at = actions.pause(run, by=fleet.olga).beat_at
        assert status(run) == RunStatus.PAUSING
        # The worker looks what is asked each time it beats.
        until(lambda: Run.objects.filter(pk=run.pk, beat_at__gt=asked_at).exists(), what="the next beat")
    until(lambda: status(run) == RunStatus.PAUSED, what="paused")
    assert [r.revision_id for r in fleet.receipts()] == ["0001_a", "0002_b"]
    actions.resume(run, by=fleet.olga)
    assert apply.execute(run.pk) == RunStatus.SUCCEEDED
    assert [r.seq for r in fleet.receipts()] == [1, 2, 3]


def test_it_shuts_down_between_statements_and_is_taken_up_again(fleet, monkeypatch):
    fleet.put("0001_a", "CREATE TABLE a ()")
    fleet.put("0002_b", "CREATE TABLE b ()")
    run = fleet.start()
    execution = Execution(claimed(run, "w1"), "w1")
    execution._observe = lambda event: execution.recorder.shut_down() if event.kind == "recorded" else None
    assert execution.carry_out() == RunStatus.INTERRUPTED
    assert run.pk in claims.due()
    assert apply.execute(run.pk) == RunStatus.SUCCEEDED


def test_it_takes_over_when_the_lease_ran_out(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    run = fleet.start()
    first = claimed(run, "gone")
    assert claims.claim(run.pk, "rival") is None
    assert claims.release_of_dead("gone") == 1
    second = claimed(run, "rival")
    assert (second.token, second.attempt) == (first.token + 1, 2)


class Cut(BaseException):
    """Stands for a SIGKILL at a named point."""


def cut_at(kind: str):
    def observe(event: Event) -> None:
        if event.kind == kind:
            raise Cut

    return observe


def broken_off(run: Run, kind: str) -> None:
    """Run until the point, then leave everything as a killed worker would."""
    execution = Execution(claimed(run, "gone"), "gone", observe=cut_at(kind))
    with pytest.raises(Cut):
        execution.carry_out()
    claims.release_of_dead("gone")


def test_it_asks_a_person_when_the_catalogue_cannot_tell_and_follows_the_verdict(fleet):
    fleet.put("0001_a", "CREATE TABLE a (id int)")
    fleet.apply()
    fleet.put("0002_u", UNKNOWABLE)
    run = fleet.start()
    broken_off(run, "intent")
    assert apply.execute(run.pk) == RunStatus.NEEDS_OPERATOR
    run.refresh_from_db()
    assert run.error["code"] == "outcome_unknown"
    ann = person("ann", "release-manager")
    actions.resolve(run, verdict="done", by=ann, reason="looked at the target by hand")
    assert apply.execute(run.pk) == RunStatus.SUCCEEDED
    assert fleet.receipts()[-1].revision_id == "0002_u"
    assert RunLogLine.objects.filter(run=run, message__contains="ann decided").exists()


UNKNOWABLE = "ALTER SUBSCRIPTION s ADD PUBLICATION p"


def test_each_try_has_its_own_beginning(fleet, at_work):
    fleet.put("0001_a", "CREATE TABLE a (id int)")
    fleet.apply()
    fleet.put("0002_b", "ALTER TABLE a ADD COLUMN n int")
    with psycopg.connect(fleet.url, application_name="report") as holder:
        holder.execute("SELECT * FROM a")
        run = started_behind(holder, fleet, at_work)
        until(lambda: StepAttempt.objects.filter(step__run=run).count() > 2, what="three tries")
        holder.rollback()
    until(lambda: status(run) == RunStatus.SUCCEEDED, what="applied")
    tries = StepAttempt.objects.filter(step__run=run).order_by("number").values_list("started_at", "finished_at")
    moments = [moment for times_of_one in tries for moment in times_of_one]
    assert moments == sorted(moments)  # type: ignore[type-var]


def test_it_marks_the_attempt_of_a_lost_worker(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    run = fleet.start()
    broken_off(run, "statement_done")
    assert apply.execute(run.pk) == RunStatus.SUCCEEDED
    assert StepAttempt.objects.filter(step__run=run, outcome="done").count() == 1
    assert StepAttempt.objects.get(step__run=run, outcome="lost").worker == "gone"
    assert RunLogLine.objects.filter(run=run, message__endswith="goes on where gone went away").exists()
    assert [r.revision_id for r in fleet.receipts()] == ["0001_a"]
