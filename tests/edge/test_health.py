"""/health and its kin: who is told how much, in which shape, and what is not touched for it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from threading import Event, Thread
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard import tokens
from dashboard.health import looking, read_models, timing
from dashboard.health.deep_shapes import DeepOut, SystemStatusOut
from dashboard.health.own import Away
from dashboard.health.shapes import HealthOut, StatusOut
from migrations_app.health import processes
from migrations_app.health.breaker import breaker
from migrations_app.models import AppliedTally, AuditEntry, Environment
from migrations_app.permissions import ADMIN
from tests.browser.client import signed_in
from tests.edge.fleet import make_receipt
from tests.edge.people import each_identity, identity, person
from tests.health.test_processes import conn, told

pytestmark = pytest.mark.django_db

SCALARS = ["string", "number", "integer", "boolean", "null"]
NEVER_KEPT = {"Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache", "Expires": "0"}


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    looking.forget()
    yield
    looking.forget()
    read_models.forget()


@pytest.fixture
def ada(db: None) -> User:
    return person("ada", ADMIN)


def get(user: User | None, path: str = "/health", **headers: str) -> Any:
    return signed_in(user).get(path, headers=headers)


def bearer(user: User, role: str = "") -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.create(user=user, by=None, role=role).text}"}


def database_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """As own.py says it; the outage itself is made in test_health_full_house.py."""

    def away() -> None:
        raise Away('connection to "10.1.2.3" failed: password of user "lockstep"')

    monkeypatch.setattr("dashboard.health.database.look", away)


def test_everybody_hears_the_status_and_those_who_may_look_hear_all() -> None:
    for name in each_identity():
        answer = get(identity(name))
        assert answer.status_code == 200
        shape = StatusOut if name in ("anonymous", "disabled") else HealthOut
        shape.model_validate_json(answer.content)
        assert "Set-Cookie" not in answer.headers
        assert {header: answer[header] for header in NEVER_KEPT} == NEVER_KEPT


def test_a_token_tells_who_asks_and_a_bad_one_is_nobody(olga: User) -> None:
    assert "services" in get(None, **bearer(olga)).json()
    assert "services" in get(None, **bearer(olga, "operator")).json()
    ended = bearer(olga)
    token = olga.api_tokens.order_by("-id").first()
    assert token
    tokens.revoke(token, by=olga)
    for wrong in (ended, {"Authorization": "Bearer lockstep_aa_bb"}, {"Authorization": "Basic eA=="}):
        assert get(None, **wrong).json() == {"status": "healthy"}
        assert get(olga, **wrong).json() == {"status": "healthy"}  # never falls back to the session


def test_a_listed_address_sees_all_unless_somebody_stands_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "HEALTH_ALLOW", (ip_network("10.0.0.0/8"), ip_network("::1")))
    for address, headers, sees in (
        ("10.2.3.4", {}, True),
        ("::1", {}, True),
        ("11.0.0.1", {}, False),
        ("", {}, False),
        ("10.2.3.4", {"X-Forwarded-For": "8.8.8.8"}, False),
        ("10.2.3.4", {"Forwarded": "for=8.8.8.8"}, False),
    ):
        answer = Client().get("/health", REMOTE_ADDR=address, headers=headers)
        assert ("services" in answer.json()) is sees, (address, headers)
        assert Client().get("/health/deep", REMOTE_ADDR=address, headers=headers).status_code == 401


def test_a_stranger_with_any_cookie_costs_no_question_over_the_pool() -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "x" * 32
    for path in ("/livez", "/readyz", "/health"):
        with CaptureQueriesContext(connection) as over_the_pool:
            answer = client.get(path)
        assert [one["sql"] for one in over_the_pool.captured_queries] == [], path
        assert (answer.status_code, answer.cookies) == (200, {})


def test_ready_is_who_has_the_tables_of_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = get(None, "/readyz")
    assert ready.json() == {"status": "ready", "checks": {"database": "ok", "migrations": "ok", "process": "ok"}}
    monkeypatch.setattr("dashboard.health.database.newest_migrations", lambda: ("migrations_app.9999_later",))
    pending = get(None, "/readyz")
    assert (pending.status_code, pending.json()["checks"]["migrations"]) == (503, "pending")
    monkeypatch.setattr("dashboard.urgent.process.stopping", True)
    assert get(None, "/readyz").json()["checks"]["process"] == "stopping"
    assert get(None, "/livez").json() == {"status": "alive"}


def test_an_unreachable_database_is_unhealthy_and_no_word_of_its_driver_is_told(
    olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    database_away(monkeypatch)
    assert get(olga).json() == {"status": "unhealthy"}  # who she is stands there too
    monkeypatch.setattr(settings, "HEALTH_ALLOW", (ip_network("127.0.0.1"),))
    answer = get(None)
    told_of = HealthOut.model_validate_json(answer.content)
    assert (answer.status_code, told_of.status, told_of.degraded_reason) == (503, "unhealthy", "database_unreachable")
    assert told_of.errors == ["The control database did not answer in time."]
    assert told_of.resilience.recovery_recommendation.action == "check_database_connectivity"
    assert b"10.1.2.3" not in answer.content


def test_the_fullest_pool_and_the_worst_breaker_of_all_processes_are_told(olga: User) -> None:
    pool = told().pool
    assert pool
    full = type(pool).of({"pool_size": 6, "pool_available": 0, "requests_waiting": 3}, 1, 6, 2, pool.sampled_at)
    opened = breaker()
    for _ in range(5):
        opened.failed(opened.enter())
    processes.publish(conn(), told("here:1"))
    processes.publish(conn(), told("here:2", worker_pid=2, pool=full))
    found = HealthOut.model_validate_json(get(olga).content)
    state = found.database_pool.state
    assert state and (state.worker_pid, state.saturation, state.scope) == (2, 1.0, "max_over_processes")
    assert [one.worker_pid for one in state.processes] == [1, 2]
    assert (found.status, found.degraded_reason) == ("degraded", "circuit_breaker_open")  # this process's own
    assert found.circuit_breaker.state == "OPEN" and found.resilience.alerts.circuit_open
    assert found.runtime_contract.errors == [
        f"Web process {pid} runs under another contract than process {looking.current().own.worker_pid}."
        for pid in (1, 2)
    ]
    assert found.warnings and any("100%" in sentence for sentence in found.warnings)


def test_without_the_table_of_processes_it_tells_of_itself_alone(olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.health.database._processes", lambda _: None)
    monkeypatch.setattr("dashboard.health.pool.sample", lambda _: told().pool)
    state = HealthOut.model_validate_json(get(olga).content).database_pool.state
    assert state and (state.scope, len(state.processes)) == ("self", 1)


def test_a_look_is_kept_and_whoever_judges_each_one_gets_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "HEALTH_MEMO_TTL_SECONDS", 60.0)
    first = looking.current()
    assert looking.current() is first
    newer = looking.fresh()
    assert newer is not first and looking.current() is newer
    monkeypatch.setattr(settings, "HEALTH_MEMO_TTL_SECONDS", 0.0)
    assert looking.current() is not newer


def test_whoever_comes_while_somebody_looks_gets_that_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "HEALTH_MEMO_TTL_SECONDS", 0.0)
    monkeypatch.setattr(looking, "FOLLOWERS_S", 30.0)
    begun, go_on = Event(), Event()
    look, looks = looking._made(None, None), []

    def take() -> looking.Look:
        begun.set()
        go_on.wait(30)
        return look

    monkeypatch.setattr(looking, "_take", take)
    crowd = [Thread(target=lambda: looks.append(looking.current())) for _ in range(2)]
    crowd[0].start()
    begun.wait(30)
    monkeypatch.setattr(looking, "_take", lambda: pytest.fail("a second one looked"))
    crowd[1].start()
    monkeypatch.setattr(looking, "_take", take)
    go_on.set()
    for one in crowd:
        one.join(30)
    assert looks == [look, look]


@pytest.mark.parametrize("path", ["/health/deep", "/admin/api/system-status"])
def test_what_is_for_administrators_refuses_in_the_envelope_and_sends_readers_of_pages_to_sign_in(path: str) -> None:
    for name in each_identity():
        user = identity(name)
        answer = get(user, path)
        expected = 401 if name in ("anonymous", "disabled") else 200 if name == "admin" else 403
        assert answer.status_code == expected, name
        assert {header: answer[header] for header in NEVER_KEPT} == NEVER_KEPT
        if expected == 401:
            assert answer.json()["error"]["code"] == "UNAUTHORIZED"
            page = get(user, path, Accept="text/html,*/*")
            assert (page.status_code, page["Location"]) == (302, f"/login?next={path}")
        if expected == 403:
            assert answer.json()["error"]["code"] == "FORBIDDEN"
            assert AuditEntry.objects.filter(data__action="denied").exists()
            assert get(user, path, Accept="text/html").status_code == 403


def test_deep_health_tells_latencies_and_the_times_of_queries(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    timing.forget()
    assert DeepOut.model_validate_json(get(ada, "/health/deep").content).metrics.query_p50_ms is None
    timing.watch(connection)
    try:
        list(User.objects.all())
        monkeypatch.setattr(timing, "SLOW_S", 0.0)
        found = DeepOut.model_validate_json(get(None, "/health/deep", **bearer(ada)).content)
    finally:
        connection.execute_wrappers.clear()
    assert (found.checks.database.status, found.checks.redis.status) == ("healthy", "healthy")
    assert found.metrics.query_count == found.metrics.slow_query_count > 0 and found.metrics.slow_query_rate == 1.0
    assert found.checks.cache.freshness == "stale"  # nobody reads it in this process


def test_the_read_models_tell_since_when_and_whether_they_agree(ada: User, environment: Environment) -> None:
    read_models.enable()
    assert "enabled but not loaded" in str(get(ada).json()["warnings"])
    make_receipt(environment, 1)
    read_models.refresh(conn())
    found = SystemStatusOut.model_validate_json(get(ada, "/admin/api/system-status").content).data.cache
    first = found.search.derived_search_index["matrix"]
    assert (found.resource.loaded, found.resource.count, found.resource.derived_index.is_fresh) == (True, 1, True)
    assert found.search.derived_search_index["search"].environments == 1
    AppliedTally.objects.update(applied=7, version=99)
    read_models.refresh(conn())
    found = SystemStatusOut.model_validate_json(get(ada, "/admin/api/system-status").content).data.cache
    assert found.resource.derived_index.is_fresh is False
    second = found.search.derived_search_index["matrix"]
    assert second.version != first.version and second.built_at > first.built_at
    assert DeepOut.model_validate_json(get(ada, "/health/deep").content).checks.cache.freshness == "fresh"


def test_the_published_schema_names_every_field_of_a_live_answer(ada: User) -> None:
    for path in ("/health", "/health/deep", "/admin/api/system-status"):
        schema = Client().get(f"{path}/schema.json")
        assert schema.status_code == 200
        _agrees(schema.json(), schema.json(), get(ada, path).json(), path)


def _agrees(whole: dict[str, Any], schema: dict[str, Any], told_of: Any, where: str) -> None:
    """Every field there is stands in the schema, and every one that is required is there."""
    schema = _followed(whole, schema, told_of)
    if isinstance(told_of, dict) and "properties" in schema:
        assert set(told_of) <= set(schema["properties"]), where
        assert set(schema.get("required", ())) <= set(told_of), where
        for name, value in told_of.items():
            _agrees(whole, schema["properties"][name], value, f"{where}.{name}")
    elif isinstance(told_of, list):
        for value in told_of:
            _agrees(whole, schema["items"], value, f"{where}[]")


def _followed(whole: dict[str, Any], schema: dict[str, Any], told_of: Any) -> dict[str, Any]:
    if "$ref" in schema:
        return _followed(whole, whole["$defs"][schema["$ref"].rpartition("/")[2]], told_of)
    if "anyOf" in schema:
        wanted = ["object"] if isinstance(told_of, dict) else ["array"] if isinstance(told_of, list) else SCALARS
        options = [_followed(whole, one, told_of) for one in schema["anyOf"]]
        return next(one for one in options if one.get("type") in wanted or "enum" in one)
    return schema
