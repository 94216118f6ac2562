"""/metrics: who is told, what a fleet looks like there, and what is left when the database cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from dashboard import tokens
from dashboard.health import looking
from dashboard.health.own import Away
from migrations_app.models import Environment, Service
from migrations_app.releases.boot.attempts import MOST_CODES, Attempt, record_attempt, sweep
from migrations_app.releases.mismatch import running_where
from tests.browser.client import signed_in
from tests.edge.fleet import make_environment
from tests.edge.metrics import GAVE_UP, Samples, fill, samples
from tests.edge.people import each_identity, identity

pytestmark = pytest.mark.django_db

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0"


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    looking.forget()
    yield
    looking.forget()


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(settings, "HEALTH_ALLOW", (ip_network("10.0.0.0/8"),))
    return Client(REMOTE_ADDR="10.2.3.4")


def scrape(client: Client) -> Samples:
    answer = client.get("/metrics")
    assert (answer.status_code, answer["Content-Type"]) == (200, PLAIN)
    return samples(answer.content.decode())


def of(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


def test_it_is_for_who_may_look_for_a_token_and_for_a_listed_address(olga: User, listed: Client) -> None:
    for name in each_identity():
        answer = signed_in(identity(name)).get("/metrics")
        stranger = name in ("anonymous", "disabled")
        assert answer.status_code == (401 if stranger else 200), name
        assert (answer["Cache-Control"], "Set-Cookie" in answer.headers) == (
            "no-cache, no-store, must-revalidate",
            False,
        )
    bearer = {"Authorization": f"Bearer {tokens.create(user=olga, by=None, role='operator').text}"}
    assert Client().get("/metrics", headers=bearer).status_code == 200
    assert Client().get("/metrics", headers={"Authorization": "Bearer lockstep_aa_bb"}).status_code == 401
    assert listed.get("/metrics").status_code == 200
    assert listed.get("/metrics", headers={"X-Forwarded-For": "8.8.8.8"}).status_code == 401
    assert listed.post("/metrics").status_code == 405
    reader = Client().get("/metrics", headers={"Accept": "text/html"})
    assert (reader.status_code, reader["Location"]) == (302, "/login?next=/metrics")


def test_it_speaks_openmetrics_to_who_asks_for_it(olga: User, listed: Client) -> None:
    fill(olga)
    answer: Any = listed.get("/metrics", headers={"Accept": f"{OPEN},text/plain;version=0.0.4;q=0.5"})
    assert answer["Content-Type"].startswith(OPEN)
    assert "lockstep_revision_runs" in {family.name for family in openmetrics(answer.content.decode())}  # type: ignore[no-untyped-call]


def test_it_tells_how_the_fleet_stands(olga: User, listed: Client) -> None:
    fill(olga)
    found = scrape(listed)
    where = {"service": "orders", "environment": "fits", "direction": "up"}
    for name, labels, value in (
        ("up", {}, 1),
        ("degraded", {"reason": "database_unreachable"}, 0),
        ("pool_saturation", {"process": "elsewhere:7"}, 0.8333),
        ("pool_connections_in_use", {"process": "elsewhere:7"}, 5),
        ("breaker_state", {"process": "elsewhere:7", "state": "CLOSED"}, 1),
        ("route_cache_hits_total", {"process": "elsewhere:7", "level": "l1"}, 5),
        ("revision_duration_seconds_bucket", {**where, "le": "0.1"}, 2),
        ("revision_duration_seconds_bucket", {**where, "le": "0.5"}, 3),
        ("revision_duration_seconds_bucket", {**where, "le": "3600.0"}, 3),
        ("revision_duration_seconds_count", where, 4),
        ("revision_duration_seconds_sum", where, 4000.201),
        ("revision_runs_total", {"outcome": "succeeded"}, 6),
        ("revision_runs_total", {"outcome": "failed"}, 3),
        ("revision_runs_total", {"outcome": "cancelled"}, 0),
        ("runs_open", {"status": "queued"}, 1),
        ("runs_open", {"status": "paused"}, 1),
        ("queue_depth", {}, 1),
        ("bootstrap_failures_total", {"phase": "index", "reason": "index_differs"}, 1),
        ("environments", {}, 3),
        ("duplicate_receipts", {}, 1),
        ("changed_receipts", {}, 0),
        ("audit_chain_ok", {}, 1),
        ("releases", {"status": "live"}, 0),
        ("cutovers_open", {"status": "halted"}, 1),
        ("workers", {"state": "alive"}, 1),
        ("workers", {"state": "silent"}, 1),
        ("restart_policy", {"state": "allowed"}, 1),
    ):
        assert of(found, f"lockstep_{name}", **labels) == value, (name, labels)
    age = of(found, "lockstep_queue_oldest_age_seconds")
    assert age is not None and 0 < age < 60


def test_releases_against_schemas_are_as_the_pages_have_them(olga: User, listed: Client) -> None:
    fill(olga)
    found = scrape(listed)
    for one in running_where():
        labels = {"service": one.service, "environment": one.environment, "release_id": one.release_id}
        unknown = one.cell.fit == "unknown"
        assert of(found, "lockstep_release_schema_unknown", **labels) == unknown
        assert of(found, "lockstep_release_schema_mismatch", **labels) == (None if unknown else one.mismatch)
    standing = {dict(labels)["environment"]: dict(labels)["schema_rev"] for name, labels in found if "rev_info" in name}
    assert standing == {"behind": "sc-9", "fits": "sc-10", "away": ""}


def test_names_of_people_are_escaped(service: Service, listed: Client) -> None:
    environment = make_environment(service, "eu")
    Environment.objects.filter(pk=environment.pk).update(stage='a"b\\c\nd')
    assert [dict(labels)["stage"] for name, labels in scrape(listed) if "rev_info" in name] == ['a"b\\c\nd']


def test_failed_starts_stay_counted_when_their_rows_are_swept(environment: Environment, listed: Client) -> None:
    for boot in ("b1", "b1", "b2"):
        record_attempt(environment=environment, attempt=Attempt(**{**vars(GAVE_UP), "boot": boot}))
    record_attempt(environment=environment, attempt=Attempt(boot="b3", outcome="allow"))
    record_attempt(environment=environment, attempt=Attempt(boot="b4", outcome="refused", phase="index"))
    environment.boots.update(ended_at="2000-01-01T00:00:00Z")
    sweep()
    assert not environment.boots.exists()
    failures = {labels: value for (name, labels), value in scrape(listed).items() if "bootstrap_failures_total" in name}
    assert sorted(failures.values()) == [1, 2]
    for number in range(MOST_CODES + 5):
        told = Attempt(boot=f"c{number}", outcome="refused", phase="index", reasons=((f"made_up_{number}", ""),))
        record_attempt(environment=environment, attempt=told)
    found = scrape(listed)
    assert of(found, "lockstep_bootstrap_failures_total", phase="index", reason="other") == 7
    assert sum("bootstrap_failures_total" in name for name, _ in found) == MOST_CODES + 1


def test_without_a_database_it_tells_what_the_process_knows(listed: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Away("stopped")

    monkeypatch.setattr("dashboard.health.database.look", away)
    with CaptureQueriesContext(connection) as asked:
        found = scrape(listed)
    assert len(asked) == 0
    assert of(found, "lockstep_up") == 0
    assert of(found, "lockstep_degraded", reason="database_unreachable") == 1
    assert any(name == "lockstep_breaker_state" for name, _ in found)
    assert not any(name in ("lockstep_environments", "lockstep_queue_depth") for name, _ in found)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_lost_after_health_looked_is_told_the_same_way(
    olga: User, listed: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = signed_in(olga)
    monkeypatch.setattr(settings, "HEALTH_MEMO_TTL_SECONDS", 60.0)
    looking.current()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    given = {**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}
    with psycopg.connect(**given) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    found = scrape(listed)
    assert (of(found, "lockstep_up"), of(found, "lockstep_degraded", reason="database_unreachable")) == (0, 0)
    assert not any(name == "lockstep_environments" for name, _ in found)
    refused: Any = reader.get("/metrics")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "DB_CONNECTION_FAILED")
    connection.close()
    assert of(scrape(listed), "lockstep_up") == 1
