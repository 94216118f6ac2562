"""The rehearsal server dies in each phase, for a moment or for good: no verdict, no clone, and a target only read."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from migrations_app.embedded import postgres, pytest_servers
from migrations_app.jobs import rehearse
from migrations_app.models import Installation, Rehearsal
from migrations_app.rehearsals import clones
from migrations_app.rehearsals.actions import request_rehearsal
from migrations_app.statuses import RehearsalStatus
from tests.runs.support import Fleet
from tests.sampling import sample

from .spare import Spare, when_it_says
from .test_carrying import verdicts
from .test_killed import written

pytestmark = pytest.mark.django_db(transaction=True)

MOMENTS = ("Copying public.a", "Building indexes", ", up", ", trace", ", down", ", compare", ", again")
WAYS = (signal.SIGKILL, signal.SIGQUIT)
NAP = "SELECT pg_sleep(0.3);"


@pytest.fixture(scope="module")
def spare() -> Iterator[Spare]:
    home = Path(tempfile.mkdtemp(dir=pytest_servers.home()))
    it = Spare(home, postgres.start(home, 18, fast=True))
    yield it
    it.server.stop()


@pytest.fixture
def shop(fleet: Fleet, spare: Spare, settings) -> Fleet:
    settings.LOCKSTEP_REHEARSAL_SERVERS = [spare.server.dsn]
    fleet.put("0001_a", "CREATE TABLE a (id int PRIMARY KEY)", down="DROP TABLE a")
    fleet.apply()
    fleet.put("0002_b", f"{NAP} CREATE TABLE b ()", down=f"{NAP} DROP TABLE b")
    fleet.put("0003_c", "CREATE TABLE c ()", down="DROP TABLE c")
    return fleet


def tried(shop: Fleet) -> Rehearsal:
    rehearsal = request_rehearsal(environment=shop.environment, by=shop.olga)
    rehearse.execute(rehearsal.pk)
    rehearsal.refresh_from_db()
    return rehearsal


def nothing_came_of_it(rehearsal: Rehearsal) -> None:
    assert (rehearsal.status, verdicts(rehearsal)) == (RehearsalStatus.FAILED, {})
    assert rehearsal.error is not None
    assert rehearsal.error["code"] == "rehearsal_server_lost"
    clones.sweep()
    assert Installation.current().uid and clones.names() == []


@pytest.mark.parametrize(("moment", "how"), sample(tuple(product(MOMENTS, WAYS)), 7))
def test_one_that_was_away_for_a_moment_is_not_trusted_any_more(
    shop: Fleet, spare: Spare, monkeypatch: pytest.MonkeyPatch, moment: str, how: signal.Signals
) -> None:
    before = written(shop)

    def killed() -> None:
        spare.die(how)
        spare.come_back()

    when_it_says(monkeypatch, moment, killed)
    nothing_came_of_it(tried(shop))
    assert written(shop) == before


@pytest.mark.parametrize(("moment", "how"), sample(tuple(product(MOMENTS, WAYS)), 14, 4))
def test_one_that_dies_in_the_middle_of_a_phase_leaves_no_clone_once_it_is_back(
    shop: Fleet, spare: Spare, monkeypatch: pytest.MonkeyPatch, moment: str, how: signal.Signals
) -> None:
    before = written(shop)
    later = threading.Timer(0.15, spare.die, [how])
    when_it_says(monkeypatch, moment, later.start)
    rehearsal = tried(shop)
    later.join()
    spare.come_back()
    nothing_came_of_it(rehearsal)
    assert written(shop) == before


def test_what_was_found_before_it_died_counts(shop: Fleet, spare: Spare, monkeypatch: pytest.MonkeyPatch) -> None:
    when_it_says(monkeypatch, "0003_c, down", lambda: spare.die(signal.SIGKILL))
    rehearsal = tried(shop)
    spare.come_back()
    assert (rehearsal.status, verdicts(rehearsal)) == (RehearsalStatus.FAILED, {"0002_b": "reversible"})
    clones.sweep()
    assert clones.names() == []
