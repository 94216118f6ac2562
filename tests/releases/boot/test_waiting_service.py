"""A service that is started on the wrong schema does not start, and does by itself after the run that it waited for."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pytest_django.live_server_helper import LiveServer

from dashboard import tokens
from migrations_app.jobs.apply import execute
from migrations_app.models import BootAttempt, NodeReport
from tests.releases.boot.lockstep_boot import SCRIPT, environment
from tests.runs.support import Fleet, make_fleet, person
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fleet(target_database: Callable[..., str]) -> Fleet:
    fleet = make_fleet(target_database())
    fleet.put("0001_a", "CREATE TABLE a (id int)", schema_rev="sc-1")
    fleet.apply()
    fleet.put("0002_b", "CREATE TABLE b (id int)", schema_rev="sc-2")
    return fleet


@contextmanager
def starting(live_server: LiveServer, schema_rev: str) -> Iterator[subprocess.Popen[str]]:
    given = {
        "LOCKSTEP_URL": live_server.url,
        "LOCKSTEP_TOKEN": tokens.create(user=person("vic", "viewer"), by=None).text,
        "LOCKSTEP_SERVICE": "shop",
        "LOCKSTEP_ENVIRONMENT": "dev-eu",
        "LOCKSTEP_SCHEMA_REV": schema_rev,
        "LOCKSTEP_NODE": "n1",
        "LOCKSTEP_EVERY": "0.1",
        "LOCKSTEP_DEADLINE": "30",
    }
    command = [str(SCRIPT), "--", "echo", "the service has started"]
    process = subprocess.Popen(
        command, env=environment(**given), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_refuses_to_start_on_the_wrong_schema_where_nothing_is_planned(
    fleet: Fleet, live_server: LiveServer
) -> None:
    with starting(live_server, "sc-2") as process:
        said, told = process.communicate(timeout=30)
    assert (process.returncode, said) == (78, "")
    assert "dev-eu: Needs sc-2, stands at sc-1: one revision behind its window. (schema_differs)" in told
    attempt = BootAttempt.objects.get()
    assert (attempt.outcome, attempt.phase, attempt.tries, attempt.node) == ("refused", "revisions", 1, "n1")


def test_it_starts_by_itself_after_the_run_that_it_waited_for(fleet: Fleet, live_server: LiveServer) -> None:
    run = fleet.start()
    with starting(live_server, "sc-2") as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert f"Run {run.pk} is under way, so the schema of dev-eu is not settled. (run_open)" in first
        assert process.poll() is None
        assert not NodeReport.objects.exists()
        assert execute(run.pk)
        said, _ = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "the service has started\n")
    attempt = BootAttempt.objects.get()
    assert attempt.outcome == "allow"
    assert attempt.tries > 1
    assert fleet.value("SELECT count(*) FROM b") == 0
    until(lambda: NodeReport.objects.filter(node="n1").exists(), what="the node has reported")


def test_a_service_for_the_old_schema_does_not_start_while_a_run_leads_away(
    fleet: Fleet, live_server: LiveServer
) -> None:
    """It would work with what stands there, and not with what comes."""
    run = fleet.start()
    with starting(live_server, "sc-1") as process:
        said, told = process.communicate(timeout=30)
    assert (process.returncode, said) == (78, "")
    assert f"Run {run.pk} is under way" in told and "(run_leads_away)" in told
