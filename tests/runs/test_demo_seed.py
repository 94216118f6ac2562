"""`manage.py demo`: the fleet it leaves behind is true, and it can be killed and called again at any time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import Settings

from migrations_app.admission.door import start_run
from migrations_app.embedded import targets
from migrations_app.embedded.databases import drop_database
from migrations_app.embedded.postgres import Server
from migrations_app.fleet.ledger import summary
from migrations_app.jobs import apply
from migrations_app.management import demo_seed, demo_targets
from migrations_app.management.demo_fleet import FLEET, Place, smaller
from migrations_app.models import AuditEntry, Environment, LedgerEntry, Run, Service
from migrations_app.permissions import ADMIN, OPERATOR, VIEWER
from migrations_app.statuses import ACTIVE, OPEN, RunStatus

ROOT = Path(__file__).parents[2]
SMALL = tuple(smaller(place, 60) for place in FLEET)
STAGING_US = tuple(place for place in SMALL if place.name == "staging-us")
PROD_US = tuple(place for place in SMALL if place.name == "prod-us")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def servers(
    pg18: Server, pg16: Server, monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> Iterator[None]:
    """Both servers, told as `manage.py up` tells them; the shop's databases are dropped afterwards."""
    settings.LOCKSTEP_DATA_DIR = tmp_path
    by_major = {16: pg16.dsn, 18: pg18.dsn}
    for major, url in by_major.items():
        monkeypatch.setenv(targets.variable(major), url)
    yield
    for place in FLEET:
        drop_database(by_major[place.major], place.database)


@pytest.fixture
def users() -> None:
    for name, role in (("admin", ADMIN), ("olga", OPERATOR), ("vic", VIEWER)):
        User.objects.create(username=name).groups.add(Group.objects.get_or_create(name=role)[0])


def seed(fleet: Sequence[Place]) -> list[str]:
    lines: list[str] = []
    demo_seed.seed(fleet, lines.append)
    return lines


def control_database() -> dict[str, str]:
    """The test database's address, for another process."""
    parts = urlsplit(os.environ["LOCKSTEP_DATABASE_URL"])
    return {"LOCKSTEP_DATABASE_URL": parts._replace(path=f"/{connection.settings_dict['NAME']}").geturl()}


def wait_for(condition: Callable[[], bool], *, alive: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert alive(), "the process ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def heads() -> dict[str, str]:
    return dict(Environment.objects.values_list("name", "head_revision"))


def endings(name: str) -> list[str]:
    return list(Run.objects.filter(environment__name=name).order_by("pk").values_list("status", flat=True))


@pytest.mark.usefixtures("servers", "users")
def test_it_seeds_a_fleet_whose_receipts_and_ledger_agree() -> None:
    lines = seed(SMALL)
    assert [line.split()[0] for line in lines] == [place.name for place in FLEET]
    assert heads() == {
        "dev-eu": "0018_drop_shipping_address",
        "staging-eu": "0017_copy_shipping_addresses",
        "staging-us": "0016_create_addresses",
        "prod-eu": "0013_add_order_currency",
        "prod-us": "0013_add_order_currency",
        "prod-ap": "0012_create_sales_by_day",
    }
    found = summary()
    assert found.receipts == found.ledger == 89 + 2  # one revision went down and up again
    assert (found.twice, found.out_of_order, found.changed, found.unknown) == (0, 0, 0, 0)
    assert not Run.objects.filter(status__in=OPEN).exists()

    before = (Run.objects.count(), LedgerEntry.objects.count(), AuditEntry.objects.count())
    assert seed(SMALL) == lines
    assert (Run.objects.count(), LedgerEntry.objects.count(), AuditEntry.objects.count()) == before


@pytest.mark.usefixtures("servers", "users")
def test_it_tells_of_a_failure_and_of_a_cancelled_run_that_really_happened() -> None:
    seed(STAGING_US + PROD_US)
    done, failed, cancelled = RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED
    assert endings("staging-us") == [done, done, done, done, failed, done]
    assert endings("prod-us") == [done, done, done, done, cancelled]
    run = Run.objects.get(status=failed)
    assert "0014_fill_order_currency" in str(run.error)
    assert not LedgerEntry.objects.filter(run=run).exists()
    requests = AuditEntry.objects.filter(data__action="run.request")
    assert Counter(requests.values_list("data__actor", flat=True)) == {"olga": 11}


@pytest.mark.usefixtures("servers", "users")
def test_it_goes_on_after_being_killed_before_a_worker_took_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(run_id: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(apply, "execute", killed)
        seed(STAGING_US)
    assert endings("staging-us") == [RunStatus.QUEUED]
    seed(STAGING_US)
    assert heads() == {"staging-us": "0016_create_addresses"}
    assert len(endings("staging-us")) == 6


@pytest.mark.usefixtures("servers", "users")
def test_it_goes_on_after_being_killed_between_tables_and_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(place: Place, file: Path, *, unless_rows_in: str = "") -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(demo_targets, "load", killed)
        seed(STAGING_US)
    assert heads() == {"staging-us": "0003_create_orders"}
    seed(STAGING_US)
    assert heads() == {"staging-us": "0016_create_addresses"}
    assert demo_targets.facts(STAGING_US[0]).rows > 60 * 10


@pytest.mark.faults
@pytest.mark.usefixtures("servers", "users")
def test_it_goes_on_after_its_process_was_killed_in_the_middle_of_a_run(tmp_path: Path) -> None:
    first = FLEET[:1]
    with subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "demo", "--skip-checks"],
        env={**os.environ, **control_database(), "LOCKSTEP_DATA_DIR": str(tmp_path), "LOCKSTEP_LEASE_SECONDS": "2"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_for(lambda: Run.objects.filter(status__in=ACTIVE).exists(), alive=lambda: process.poll() is None)
        process.kill()
    seed(first)
    assert heads() == {"dev-eu": "0018_drop_shipping_address"}
    found = summary()
    assert (found.receipts, found.ledger, found.twice, found.out_of_order, found.changed) == (20, 20, 0, 0, 0)


@pytest.mark.usefixtures("servers", "users")
def test_it_leaves_alone_what_people_did_afterwards() -> None:
    lines = seed(PROD_US)
    operator = User.objects.get(username="olga")
    environment = Environment.objects.get(name="prod-us")
    run = start_run(environment=environment, direction="up", by=operator).run
    apply.execute(run.pk)
    after = seed(PROD_US)
    assert heads() == {"prod-us": "0018_drop_shipping_address"}
    assert after != lines
    assert endings("prod-us")[-1] == RunStatus.SUCCEEDED


@pytest.mark.usefixtures("servers", "users")
def test_a_moved_data_folder_takes_its_environments_along(settings: Settings, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    settings.LOCKSTEP_DATA_DIR = old
    seed(PROD_US)
    settings.LOCKSTEP_DATA_DIR = old.rename(new)
    seed(PROD_US)
    environment = Environment.objects.get(name="prod-us")
    assert environment.dsn_reference == f"{new}/targets/18/{PROD_US[0].database}.url"
    assert AuditEntry.objects.filter(data__action="environment.change_dsn").count() == 1
    seed(PROD_US)
    assert AuditEntry.objects.filter(data__action="environment.change_dsn").count() == 1


@pytest.mark.usefixtures("users")
def test_it_refuses_without_servers_and_makes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(targets.variable(18), raising=False)
    with pytest.raises(CommandError) as refusal:
        call_command("demo", stdout=StringIO())
    assert refusal.value.returncode == 1
    assert f"{targets.variable(18)} is not set" in str(refusal.value)
    assert "Nothing was seeded." in str(refusal.value)
    assert not Service.objects.exists()


@pytest.mark.usefixtures("servers")
def test_it_refuses_without_somebody_to_act_as() -> None:
    with pytest.raises(CommandError, match=r"role admin.*ensure_demo_users"):
        call_command("demo", stdout=StringIO())
    assert not Service.objects.exists()
