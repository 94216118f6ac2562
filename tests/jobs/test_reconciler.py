"""What is due is found, with Redis and without, whatever happened to its wake-up."""

from __future__ import annotations

import os
import signal
import subprocess

import django_rq
import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from redis import Redis
from rq import Queue

from migrations_app.jobs import apply, launcher, look, process, reconciler
from migrations_app.jobs.launcher import QUEUE, waiting_in_queue
from migrations_app.jobs.reconciler import Reconciler
from migrations_app.models import GateLook, Run, WorkerProcess
from migrations_app.releases.gates import looking
from migrations_app.releases.registering import register_release
from migrations_app.runs import claims
from migrations_app.statuses import RunStatus
from tests.jobs.support import database_url, no_redis, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def never(run_id: int) -> str:
    raise AssertionError("with Redis the reconciler executes nothing itself")


@pytest.fixture
def run(fleet):
    fleet.put("0001_a", "CREATE TABLE a ()")
    return fleet.start()


def test_it_wakes_a_run_whose_wake_up_was_lost(run):
    django_rq.get_connection(QUEUE).flushdb()
    Reconciler("here", never).once()
    assert waiting_in_queue() == {run.pk}


def test_it_leaves_a_waiting_wake_up_alone(run):
    Reconciler("here", never).once()
    assert len(django_rq.get_queue(QUEUE).get_job_ids()) == 1


def test_it_wakes_a_run_whose_lease_ran_out_and_no_other(run):
    django_rq.get_connection(QUEUE).flushdb()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE migrations_app_run SET status = 'running', lease_until = now() + interval '1 hour' WHERE id = %s",
            [run.pk],
        )
    Reconciler("here", never).once()
    assert waiting_in_queue() == set()
    Run.objects.filter(pk=run.pk).update(lease_until="2020-01-01T00:00:00Z")
    Reconciler("here", never).once()
    assert waiting_in_queue() == {run.pk}


def test_it_does_not_wait_for_the_lease_of_a_process_that_is_gone(run):
    django_rq.get_connection(QUEUE).flushdb()
    child = subprocess.Popen(["true"])
    wait_until(lambda: process.is_gone(child.pid))  # dead, and not buried yet
    claim = claims.claim(run.pk, apply.worker_name(child.pid))
    assert claim is not None
    Reconciler("here", never).once()
    assert waiting_in_queue() == {run.pk}
    child.wait()
    assert process.is_gone(child.pid)


def test_it_leaves_the_lease_of_a_stopped_process_and_of_another_machine_alone(run):
    django_rq.get_connection(QUEUE).flushdb()
    child = subprocess.Popen(["sleep", "60"])
    child.send_signal(signal.SIGSTOP)
    claims.claim(run.pk, apply.worker_name(child.pid))
    Reconciler("here", never).once()
    child.kill()
    child.wait()
    Run.objects.filter(pk=run.pk).update(worker=f"elsewhere:{child.pid}")
    Reconciler("here", never).once()
    assert waiting_in_queue() == set()


def test_it_leaves_ended_and_held_runs_alone(run):
    django_rq.get_connection(QUEUE).flushdb()
    for status in (RunStatus.SUCCEEDED, RunStatus.PAUSED, RunStatus.NEEDS_OPERATOR):
        Run.objects.filter(pk=run.pk).update(status=status)
        Reconciler("here", never).once()
    assert waiting_in_queue() == set()


def test_it_executes_by_itself_without_redis(run, monkeypatch, tmp_path):
    client = Redis.from_url(no_redis())
    monkeypatch.setattr(launcher, "_queue", lambda: Queue(QUEUE, connection=client))

    def execute(run_id: int) -> str:
        (tmp_path / f"{run_id}").write_text(str(os.getppid()))
        return "done"

    reconciler = Reconciler("here", execute)
    reconciler.once()
    client.close()
    wait_until((tmp_path / f"{run.pk}").exists)

    def reaped() -> bool:
        reconciler._reap()
        return not reconciler._run.busy

    wait_until(reaped)
    assert (tmp_path / f"{run.pk}").read_text() == str(os.getpid())
    assert WorkerProcess.objects.get(name="here").redis_ok is False


def test_it_beats_by_the_clock_of_the_database(run):
    reconciler = Reconciler("here", never)
    reconciler.once()
    first = WorkerProcess.objects.get(name="here")
    reconciler.once()
    second = WorkerProcess.objects.get(name="here")
    assert first.started_at == second.started_at
    assert first.beat_at < second.beat_at
    assert second.redis_ok


def test_it_lets_the_server_end_the_open_transaction_of_a_silent_process(settings_of_a_job):
    settings_of_a_job.LOCKSTEP_LEASE_SECONDS = 0.5
    process.end_idle_transactions()
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
        cursor.execute("BEGIN")
        with psycopg.connect(database_url(), autocommit=True) as other:
            wait_until(lambda: not other.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid]).fetchall(), 10)
    connection.close()


@pytest.fixture
def settings_of_a_job(settings):
    """`end_idle_transactions` is for a process of its own; its traces are removed again."""
    options = connections["default"].settings_dict["OPTIONS"]
    before = dict(options)
    yield settings
    options.clear()
    options.update(before)
    connection.close()


def test_the_lease_is_longer_than_the_grace_of_a_silent_transaction():
    assert settings.LOCKSTEP_LEASE_SECONDS > settings.LOCKSTEP_BEAT_SECONDS * 2


def test_it_has_checks_looked_at_in_a_process_of_their_own(fleet, monkeypatch, tmp_path):
    def carry_out() -> int:
        (tmp_path / "looking").write_text(str(os.getppid()))
        (tmp_path / "looking").rename(tmp_path / "looked")  # there with all that it says: it may be ended at once
        return 1

    monkeypatch.setattr(look, "execute_due", carry_out)
    mine = Reconciler("here", never)
    mine.once()
    assert not mine._look.busy
    fleet.put("0001_a", "-- lockstep: schema_rev sc-1\nCREATE TABLE a ()")
    release = register_release(service=fleet.service, release_id="1.0", schema_rev="sc-1", by=fleet.olga).release
    GateLook.objects.create(release=release, gate_key="units", check_key="agree", asked_by=fleet.olga)
    mine.once()
    wait_until((tmp_path / "looked").exists)
    mine._end_children()
    assert (tmp_path / "looked").read_text() == str(os.getpid())


def test_it_does_not_wait_for_the_lease_of_a_look_whose_process_is_gone(fleet):
    fleet.put("0001_a", "-- lockstep: schema_rev sc-1\nCREATE TABLE a ()")
    release = register_release(service=fleet.service, release_id="1.0", schema_rev="sc-1", by=fleet.olga).release
    child = subprocess.Popen(["true"])
    child.wait()
    row = GateLook.objects.create(
        release=release, gate_key="units", check_key="agree", token=1, attempt=1,
        worker=apply.worker_name(child.pid), lease_until="2100-01-01T00:00:00Z",
    )  # fmt: skip
    assert looking.due() == []
    reconciler._release_what_dead_processes_hold()
    assert looking.due() == [row.pk]
