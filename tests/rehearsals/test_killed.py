"""Whatever is killed during a rehearsal: no clone stays, and the target was only read."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from migrations_app.models import Rehearsal
from migrations_app.rehearsals.actions import cancel_rehearsal, request_rehearsal
from migrations_app.statuses import REHEARSAL_OPEN, RehearsalStatus
from tests.jobs.support import children, wait_until, worker
from tests.runs.support import Fleet
from tests.writes import writes

from .conftest import Clones

pytestmark = pytest.mark.django_db(transaction=True)


def asked(fleet: Fleet, up: str = "SELECT pg_sleep(60)") -> Rehearsal:
    fleet.put("0001_a", up, down="SELECT 1")
    return request_rehearsal(environment=fleet.environment, by=fleet.olga)


def at_work(rehearsal: Rehearsal, clones: Clones) -> bool:
    rehearsal.refresh_from_db()
    return rehearsal.status == RehearsalStatus.RUNNING and rehearsal.doing.endswith(", up") and bool(clones())


def rehearsing(rehearsal: Rehearsal) -> int:
    """The process that carries it out."""
    rehearsal.refresh_from_db()
    return int(rehearsal.worker.rpartition(":")[2])


def written(fleet: Fleet) -> object:
    return writes(fleet.url), fleet.receipts()


def test_the_process_that_rehearses(fleet: Fleet, clones: Clones, servers: dict[str, str]) -> None:
    before = written(fleet)
    with worker(**servers):
        rehearsal = asked(fleet)
        wait_until(lambda: at_work(rehearsal, clones))
        first = set(clones())
        os.kill(rehearsing(rehearsal), signal.SIGKILL)
        wait_until(lambda: Rehearsal.objects.get(pk=rehearsal.pk).attempt == 2)
        wait_until(lambda: at_work(rehearsal, clones) and not first & set(clones()))
        cancel_rehearsal(rehearsal, by=fleet.olga)
        wait_until(lambda: Rehearsal.objects.get(pk=rehearsal.pk).status == RehearsalStatus.CANCELLED)
        wait_until(lambda: not clones())
    assert written(fleet) == before


def test_the_whole_worker(fleet: Fleet, clones: Clones, servers: dict[str, str]) -> None:
    before = written(fleet)
    with worker(**servers) as process:
        rehearsal = asked(fleet)
        wait_until(lambda: at_work(rehearsal, clones))
        process.kill()
        process.wait()
        wait_until(lambda: not children(process))
    assert clones()
    with worker(**servers):
        wait_until(lambda: Rehearsal.objects.get(pk=rehearsal.pk).attempt == 2)
        cancel_rehearsal(rehearsal, by=fleet.olga)
        wait_until(lambda: Rehearsal.objects.get(pk=rehearsal.pk).status == RehearsalStatus.CANCELLED)
        wait_until(lambda: not clones())
    assert written(fleet) == before


def test_a_worker_that_is_asked_to_go_lets_another_one_begin_anew(
    fleet: Fleet, clones: Clones, servers: dict[str, str], tmp_path: Path
) -> None:
    with worker(**servers) as process:
        rehearsal = asked(fleet)
        wait_until(lambda: at_work(rehearsal, clones))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert clones() == ()
    rehearsal.refresh_from_db()
    assert (rehearsal.status in REHEARSAL_OPEN, rehearsal.attempt) == (True, 0)


def test_it_gives_up_after_three_workers(fleet: Fleet, clones: Clones, servers: dict[str, str]) -> None:
    def at_attempt(number: int) -> bool:
        return at_work(rehearsal, clones) and rehearsal.attempt == number

    with worker(**servers):
        rehearsal = asked(fleet)
        for attempt in (1, 2, 3):
            wait_until(partial(at_attempt, attempt))
            os.kill(rehearsing(rehearsal), signal.SIGKILL)
        wait_until(lambda: Rehearsal.objects.get(pk=rehearsal.pk).status == RehearsalStatus.FAILED)
        wait_until(lambda: not clones())
    rehearsal.refresh_from_db()
    assert rehearsal.error is not None
    assert rehearsal.error["message"] == "The worker of this rehearsal went away 3 times."
