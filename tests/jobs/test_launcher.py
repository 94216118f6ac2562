"""Wake-ups on a real Redis, and without one."""

from __future__ import annotations

import django_rq
import pytest
from redis import Redis
from rq import Queue

from migrations_app.jobs import launcher
from migrations_app.jobs.launcher import QUEUE, waiting_in_queue, wake
from migrations_app.models import OutboxItem
from tests.jobs.support import no_redis

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queue():
    return django_rq.get_queue(QUEUE)


@pytest.fixture
def without_redis(monkeypatch):
    client = Redis.from_url(no_redis())
    monkeypatch.setattr(launcher, "_queue", lambda: Queue(QUEUE, connection=client))
    yield
    client.close()


def test_it_wakes_after_the_commit_of_the_request(fleet, queue):
    fleet.put("0001_a", "CREATE TABLE a ()")
    run = fleet.start()
    assert waiting_in_queue() == {run.pk}
    assert OutboxItem.objects.get(run=run).sent_at is not None
    (job,) = queue.get_jobs()
    assert (job.func_name, job.args, job.timeout, job.result_ttl) == (launcher.JOB, [run.pk], -1, 0)


def test_it_never_gives_two_jobs_one_id(fleet, queue):
    fleet.put("0001_a", "CREATE TABLE a ()")
    run = fleet.start()
    assert [wake(run.pk) for _ in range(5)] == [True] * 5
    assert len(set(queue.get_job_ids())) == 6
    assert waiting_in_queue() == {run.pk}


def test_it_leaves_the_wake_up_open_when_redis_is_away(fleet, without_redis):
    fleet.put("0001_a", "CREATE TABLE a ()")
    run = fleet.start()
    assert OutboxItem.objects.get(run=run).sent_at is None
    assert wake(run.pk) is False
    assert waiting_in_queue() is None
