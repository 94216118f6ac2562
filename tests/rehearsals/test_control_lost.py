"""The control database is cut off in the middle of a rehearsal: it goes on or is begun anew, and ends honestly."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest
from django.db.models.functions import Now

from migrations_app.models import Rehearsal
from migrations_app.statuses import RehearsalStatus
from tests.jobs.support import control_sessions, silent_control_database, wait_until, worker
from tests.runs.support import Fleet
from tests.sampling import sample

from .conftest import Clones
from .test_carrying import verdicts
from .test_killed import asked, at_work, written

pytestmark = pytest.mark.django_db(transaction=True)
# Goes on once a session of that name is there.
WAITING = """DO $$ BEGIN
  WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'go on') LOOP
    PERFORM pg_sleep(0.05), pg_stat_clear_snapshot();
  END LOOP;
END $$"""


@contextmanager
def ended_sessions() -> Iterator[None]:
    for pid in control_sessions():
        os.kill(pid, signal.SIGTERM)
    yield


CUTS = (ended_sessions, silent_control_database)


@pytest.mark.parametrize("cut", sample(CUTS, 2))
def test_it_ends_with_the_verdict_of_a_whole_run(
    fleet: Fleet, clones: Clones, servers: dict[str, str], cut: Callable[[], AbstractContextManager[None]]
) -> None:
    before = written(fleet)
    with worker(**servers):
        rehearsal = asked(fleet, WAITING)
        wait_until(lambda: at_work(rehearsal, clones), 60)
        with cut():
            if cut is silent_control_database:
                wait_until(lambda: Rehearsal.objects.filter(pk=rehearsal.pk, lease_until__lt=Now()).exists())
        with psycopg.connect(fleet.url, application_name="go on"):
            wait_until(lambda: Rehearsal.objects.get(pk=rehearsal.pk).status == RehearsalStatus.DONE, 60)
        wait_until(lambda: not clones())
    assert verdicts(rehearsal) == {"0001_a": "reversible"}
    assert written(fleet) == before
