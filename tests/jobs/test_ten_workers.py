"""Ten worker processes, one gunicorn, fifteen requests at once and ten wake-ups: one execution."""

from __future__ import annotations

import json
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import django_rq
import pytest
from django.db import connection

from dashboard import tokens
from migrations_app.jobs.launcher import QUEUE, wake
from migrations_app.models import AuditEntry, Run, StepAttempt, WorkerProcess
from migrations_app.statuses import RunStatus
from tests.jobs.support import wait_until, web, worker
from tests.runs.support import Fleet

WORKERS = 10
SAME = ["the-same-key"] * 10
DIFFERENT = [f"another-key-{number}" for number in range(5)]

# A sequence goes on even when its transaction is rolled back, so it also counts tries that came to nothing.
COUNTED = "SELECT nextval('tries'); SELECT pg_sleep(1); INSERT INTO effects DEFAULT VALUES"

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]


class Asker:
    """Sends its requests at the same moment, each from a thread of its own."""

    def __init__(self, address: str, fleet: Fleet) -> None:
        self._address = f"{address}/api/v1/runs"
        self._token = tokens.create(user=fleet.olga, by=None).text
        self._body = {
            "service": fleet.service.name,
            "environment": fleet.environment.name,
            "direction": "up",
        }

    def ask(self, keys: Sequence[str]) -> list[Answer]:
        together = threading.Barrier(len(keys))
        with ThreadPoolExecutor(len(keys)) as threads:
            return list(threads.map(lambda key: self._post(key, together), keys))

    def _post(self, key: str, together: threading.Barrier) -> Answer:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        request = urllib.request.Request(self._address, json.dumps(self._body).encode(), headers)
        together.wait(30)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, json.load(answer))
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, json.load(refused))


@pytest.mark.faults
def test_ten_workers_execute_once_what_was_requested_fifteen_times_and_woken_ten_times(fleet: Fleet) -> None:
    fleet.put("0001_count", "CREATE SEQUENCE tries; CREATE TABLE effects (id int GENERATED ALWAYS AS IDENTITY)")
    before = fleet.apply()
    fleet.put("0002_counted", COUNTED)
    with ExitStack() as house:
        asker = Asker(house.enter_context(web()), fleet)
        processes = [house.enter_context(worker()) for _ in range(WORKERS)]
        wait_until(lambda: WorkerProcess.objects.count() == WORKERS, 60)
        answers = asker.ask(SAME + DIFFERENT)
        run = Run.objects.exclude(pk=before.pk).get()
        with ThreadPoolExecutor(WORKERS) as threads:
            assert all(threads.map(_wake, [run.pk] * WORKERS))
        wait_until(lambda: Run.objects.get(pk=run.pk).status == RunStatus.SUCCEEDED)
        wait_until(lambda: not django_rq.get_queue(QUEUE).get_job_ids())
        late = asker.ask(SAME + DIFFERENT)
        assert all(process.poll() is None for process in processes)
        for process in processes:
            process.send_signal(signal.SIGTERM)  # all at once: they end beside each other
    _one_was_created_and_the_others_were_told_why(answers, run)
    _one_was_created_and_the_others_were_told_why(late, run, created=0)
    _it_happened_once(fleet, run)


def _wake(run_id: int) -> bool:
    """From a thread, whose database connection nobody else would close."""
    try:
        return wake(run_id)
    finally:
        connection.close()


def _one_was_created_and_the_others_were_told_why(answers: Sequence[Answer], run: Run, *, created: int = 1) -> None:
    assert [answer.status for answer in answers].count(201) == created
    assert {answer.status for answer in answers} <= {200, 201, 409}
    assert {answer.body["id"] for answer in answers if answer.status < 400} <= {run.pk}
    # Whoever used the winner's key has the winner's run; everybody else a sentence.
    winners = len(SAME) if run.idempotency_key == SAME[0] else 1
    assert len([answer for answer in answers if answer.status < 400]) == winners
    for answer in answers:
        if answer.status == 409:
            told = answer.body["error"]["details"]["conditions"]
            assert {condition["code"] for condition in told} <= {"run_open", "nothing_to_do"}, told
            assert all(condition["sentence"].endswith(".") for condition in told)


def _it_happened_once(fleet: Fleet, run: Run) -> None:
    run.refresh_from_db()
    assert (run.token, run.attempt, Run.objects.count()) == (1, 1, 2)
    assert fleet.value("SELECT count(*) FROM effects") == 1
    assert fleet.value("SELECT last_value FROM tries") == 1
    assert [receipt.revision_id for receipt in fleet.receipts()] == ["0001_count", "0002_counted"]
    assert [(attempt.outcome, attempt.token) for attempt in StepAttempt.objects.filter(step__run=run)] == [("done", 1)]
    entries = AuditEntry.objects.filter(data__object=f"run:{run.pk}")
    told = [entry.data["action"] for entry in entries]
    assert (told.count("run.request"), told.count("run.succeeded")) == (1, 1)
