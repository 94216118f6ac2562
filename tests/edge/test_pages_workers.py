"""The page of those who work behind the pages, with Redis and without it, and the restart that is asked for there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from migrations_app.models import AuditEntry, Run, WorkerProcess
from migrations_app.permissions import ADMIN
from migrations_app.watchdog import contract, files
from migrations_app.watchdog.entry import Entry
from tests.browser.client import heading, signed_in, text
from tests.edge.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def agreed(tmp_path: Path, settings: Any) -> contract.RuntimeContract:
    environ = {"WATCHDOG_RUNTIME_DIR": str(tmp_path), "WATCHDOG_STATE_FILE": str(tmp_path / "state.json")}
    settings.RUNTIME_CONTRACT = found = contract.read(environ, Path(settings.BASE_DIR))
    return found


@pytest.fixture
def ada() -> User:
    return person("ada", ADMIN)


def restarted(agreed: contract.RuntimeContract, *ages: float) -> None:
    for age in ages:
        at = timezone.now() - timedelta(seconds=age)
        done = Entry("ada", at, "10.0.0.7", at, True, "manual", "executed", "signal_sighup")
        files.append_entry(Path(agreed.watchdog_state_file), done)


def test_what_is_known_is_told_and_the_rest_is_unknown(
    olga: User, run: Run, agreed: contract.RuntimeContract, settings: Any
) -> None:
    now = timezone.now()
    WorkerProcess.objects.create(name="w-1", started_at=now, beat_at=now)
    WorkerProcess.objects.create(name="w-2", started_at=now, beat_at=now - timedelta(minutes=5), redis_ok=False)
    Run.objects.filter(pk=run.pk).update(status="running", worker="w-1", lease_until=now + timedelta(seconds=9))
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    page = signed_in(olga).get("/workers")
    assert heading(page) == "1 worker beats, 1 silent."
    said = text(page)
    assert "Redis does not answer, so what waits there is not known." in said
    assert "Unknown: no watchdog was ever seen from here." in said
    assert f"run {run.pk} orders/orders-eu Held w-1" in said
    assert "w-2 Silent" in said
    assert "Needs the role admin." in said
    assert agreed.watchdog_restart_flag not in said


def test_the_queues_are_told_where_redis_answers(olga: User, agreed: contract.RuntimeContract) -> None:
    page = signed_in(olga).get("/workers")
    assert heading(page) == "No worker is at work: runs wait."
    assert "runs 0 0 0" in text(page)


def test_a_restart_is_asked_for_once_and_then_there_is_a_cooldown(ada: User, agreed: contract.RuntimeContract) -> None:
    client = signed_in(ada)
    files.beat(Path(agreed.watchdog_runtime_dir))
    said = text(client.get("/workers"))
    assert "Allowed 0 in the last 10 minutes; 3 are the most." in said
    assert "The watchdog looks for requests." in said
    assert client.post("/workers/restart")["Location"] == "/workers"
    said = text(client.get("/workers"))
    assert "The restart is asked for" in said
    assert "Cooldown A restart that ada asked for waits for the watchdog." in said
    client.post("/workers/restart")
    assert "The web processes were not restarted." in text(client.get("/workers"))


def test_where_it_is_blocked_an_override_takes_a_mark_and_a_reason(ada: User, agreed: contract.RuntimeContract) -> None:
    restarted(agreed, 300, 200, 100)
    client, flag = signed_in(ada), Path(agreed.watchdog_restart_flag)
    said = text(client.get("/workers"))
    assert "Blocked Restarts are blocked: 3 in the last 10 minutes, and 3 are the most." in said
    assert said.count("Executed gunicorn was told to replace its processes.") == 3
    for form in ({}, {"override": "on", "acknowledged": "on"}, {"override": "on", "reason": "it leaks"}):
        client.post("/workers/restart", form)
        assert not flag.exists(), form
    client.post("/workers/restart", {"override": "on", "acknowledged": "on", "reason": "it leaks"})
    assert flag.exists()
    assert AuditEntry.objects.latest("seq").data["after"]["override_reason"] == "it leaks"
