"""Worker processes as they are started in production."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable

import django_rq
import psycopg
import pytest

from migrations_app.jobs.launcher import QUEUE, wake
from migrations_app.models import AuditEntry, Run, RunStep, WorkerProcess
from migrations_app.statuses import RunStatus, StepStatus
from tests.jobs.support import children, no_redis, own_children, silent_control_database, wait_until, worker
from tests.runs.support import Fleet

pytestmark = pytest.mark.django_db(transaction=True)


def ended(run: Run, status: str = RunStatus.SUCCEEDED) -> Callable[[], bool]:
    def look() -> bool:
        run.refresh_from_db()
        return run.status == status

    return look


def ready(process: subprocess.Popen[bytes]) -> Callable[[], bool]:
    """Once it beats it also takes runs."""
    return lambda: WorkerProcess.objects.filter(name__endswith=f":{process.pid}").exists()


def sleeping(fleet: Fleet) -> Callable[[], bool]:
    def look() -> bool:
        with psycopg.connect(fleet.url, autocommit=True) as conn:
            query = "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%%pg_sleep%%' AND pid <> %s"
            return bool(conn.execute(query, [conn.info.backend_pid]).fetchall())

    return look


def test_it_carries_out_a_run_and_ends_when_asked(fleet):
    fleet.put("0001_a", "CREATE TABLE a (id int)")
    with worker() as process:
        run = fleet.start()
        wait_until(ended(run))
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert not children(process)


def test_it_works_without_redis(fleet):
    fleet.put("0001_a", "CREATE TABLE a (id int)")
    with worker(LOCKSTEP_REDIS_URL=no_redis()):
        wait_until(ended(fleet.start()))


def test_it_executes_once_however_often_it_is_woken(fleet):
    fleet.put("0001_a", "CREATE TABLE a (id int); INSERT INTO a VALUES (1)")
    run = fleet.start()
    for _ in range(10):
        wake(run.pk)
    with worker(), worker():
        wait_until(ended(run))
        wait_until(lambda: not django_rq.get_queue(QUEUE).get_job_ids())
    assert fleet.value("SELECT count(*) FROM a") == 1
    assert run.token == 1


def test_it_takes_its_children_along_when_it_is_killed(fleet):
    fleet.put("0001_a", "SELECT pg_sleep(60)")
    with worker() as process:
        wait_until(ready(process))
        fleet.start()
        wait_until(sleeping(fleet))
        process.kill()
        process.wait()
        wait_until(lambda: not children(process), 5)
        wait_until(lambda: not sleeping(fleet)(), 5)


def test_it_leaves_the_target_when_its_lease_is_over_and_the_control_database_says_nothing(fleet):
    fleet.put("0001_a", "SELECT pg_sleep(60)")
    with worker(LOCKSTEP_LEASE_SECONDS="4", LOCKSTEP_BEAT_SECONDS="1") as process:
        wait_until(ready(process))
        run = fleet.start()
        wait_until(lambda: Run.objects.filter(pk=run.pk, log_seq__gt=0).exists() and sleeping(fleet)())
        with silent_control_database():
            wait_until(lambda: not sleeping(fleet)(), 20)


def test_it_ends_with_its_reconciler(fleet):
    with worker() as process:
        wait_until(ready(process))
        (reconciler,) = own_children(process)
        os.kill(reconciler, signal.SIGKILL)
        assert process.wait(15) == 0


def test_it_takes_over_what_a_killed_worker_left_and_shows_every_step_done(fleet):
    fleet.put("0001_a", "CREATE TABLE a (id int)")
    fleet.put("0002_b", "SELECT pg_sleep(2)")
    fleet.put("0003_c", "CREATE TABLE c (id int)")
    with worker() as process:
        wait_until(ready(process))
        run = fleet.start()
        wait_until(sleeping(fleet))
        process.kill()
        with worker():
            wait_until(ended(run))
    assert run.token == 2
    assert set(RunStep.objects.filter(run=run).values_list("status", flat=True)) == {StepStatus.DONE}
    assert (run.steps_done, run.steps_total) == (3, 3)
    assert [entry.data["action"] for entry in AuditEntry.objects.all()[:1]] == ["run.succeeded"]


def test_it_hands_its_run_over_when_it_is_asked_to_end(fleet):
    fleet.put("0001_a", "SELECT pg_sleep(1); SELECT 1")
    fleet.put("0002_b", "CREATE TABLE b (id int)")
    with worker() as process:
        wait_until(ready(process))
        run = fleet.start()
        wait_until(sleeping(fleet))
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert ended(run, RunStatus.INTERRUPTED)()
    with worker():
        wait_until(ended(run))
