"""What the API changes: through the same verbs as the pages, all or nothing, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from migrations_app.embedded import pytest_servers
from migrations_app.models import AppliedRevision, AuditEntry, Environment, Revision, Run, Service
from tests.edge.caller import Caller, read, refusal
from tests.edge.fleet import make_environment, make_run
from tests.edge.people import person

pytestmark = pytest.mark.django_db

UP = "CREATE TABLE orders (id bigint PRIMARY KEY);\n"


def put_revision(caller: Caller, revision_id: str = "0001_first", **fields: Any) -> Any:
    return caller.put(f"/services/orders/revisions/{revision_id}", {"up": UP, "down": "DROP TABLE orders;", **fields})


def test_it_creates_a_service_once(olga: User) -> None:
    admin = Caller(person("ada", "admin"))
    made = read(admin.post("/services", {"name": "orders"}), 201)
    assert (made["name"], made["created_by"]) == ("orders", "ada")
    again = refusal(admin.post("/services", {"name": "orders"}), 409)
    assert again["code"] == "service_exists"
    assert again["details"]["not_done"]
    assert refusal(admin.post("/services", {"name": "No Such Name"}), 422)["code"] == "bad_name"
    assert Service.objects.count() == 1


def test_it_refuses_an_environment_whose_address_is_of_no_use(service: Service) -> None:
    admin = Caller(person("ada", "admin"))
    place = {"name": "eu", "stage": "prod", "region": "eu", "order": 1}
    for dsn, code in (
        ("env:LOCKSTEP_TEST_NOT_SET", "dsn_reference"),
        ("env:NOT_SET_ANYWHERE", "dsn_reference_missing"),
        ("nonsense", ""),
        ("postgresql://nobody:hunter2@127.0.0.1:1/none", ""),
    ):
        response = admin.post("/services/orders/environments", {**place, "dsn": dsn})
        told = refusal(response, 422)
        assert not code or told["code"] == code
        assert b"hunter2" not in response.content
    assert not Environment.objects.exists()
    assert "hunter2" not in "".join(AuditEntry.objects.values_list("body", flat=True))


EU = "/services/orders/environments/eu"


def test_it_adds_and_changes_an_environment(service: Service, target_database: Callable[..., str]) -> None:
    admin, url = Caller(person("ada", "admin")), target_database()
    place = {"name": "eu", "stage": "prod", "region": "eu", "order": 1, "lock_window_seconds": 60}
    assert read(admin.post("/services/orders/environments", {**place, "dsn": url}), 201)["lock_window_seconds"] == 60
    changed = read(admin.send("patch", EU, {"order": 2, "region": "", "lock_window_seconds": None}))
    assert (changed["stage"], changed["region"], changed["order"]) == ("prod", "", 2)
    assert changed["lock_window_seconds"] is None
    other = target_database()
    moved = read(admin.send("patch", EU, {"dsn": other, "stage": "dev"}))
    assert moved["target"].endswith(other.rsplit("/", 1)[1]) and moved["stage"] == "dev"
    actions = [entry.data["action"] for entry in AuditEntry.objects.order_by("-seq")[:3]]
    assert actions == ["environment.edit", "environment.change_dsn", "environment.edit"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "us"}, "VALIDATION_ERROR"),
        ({"stage": None}, "VALIDATION_ERROR"),
        ({"dsn": ""}, "VALIDATION_ERROR"),
        ({"lock_window_seconds": 0}, "VALIDATION_ERROR"),
        ({"lock_window_seconds": 86_401}, "VALIDATION_ERROR"),
        ({"stage": ""}, "bad_name"),
        ({"adopt": True}, "adopt_without_dsn"),
        ({"order": 2, "dsn": "postgresql://nobody:hunter2@127.0.0.1:1/none"}, "target_unreachable"),
    ],
)
def test_a_refused_change_leaves_the_environment(environment: Environment, body: dict[str, Any], code: str) -> None:
    before = Environment.objects.values().get()
    admin = Caller(person("ada", "admin"))
    assert refusal(admin.send("patch", "/services/orders/environments/orders-eu", body), 422)["code"] == code
    assert Environment.objects.values().get() == before


def test_it_keeps_the_address_while_a_run_is_open(environment: Environment, olga: User) -> None:
    make_run(environment, olga)
    response = Caller(person("ada", "admin")).send(
        "patch", "/services/orders/environments/orders-eu", {"order": 7, "dsn": "postgresql://ann@127.0.0.1:1/x"}
    )
    assert refusal(response, 409)["code"] == "run_open"
    assert Environment.objects.get().order == 1


def test_it_refuses_its_own_database(service: Service) -> None:
    own = pytest_servers.postgres_server(18).url(connection.settings_dict["NAME"])
    response = Caller(person("ada", "admin")).post(
        "/services/orders/environments", {"name": "eu", "stage": "prod", "dsn": own}
    )
    assert refusal(response, 422)["code"] == "control_database"
    assert not Environment.objects.exists()


def test_a_viewer_changes_no_environment(environment: Environment) -> None:
    viewer = Caller(person("vic", "viewer"))
    refusal(viewer.send("patch", "/services/orders/environments/orders-eu", {"order": 2}), 403)
    assert Environment.objects.get().order == 1


def test_it_stores_a_revision_and_knows_the_same_bytes_again(caller: Caller, service: Service) -> None:
    made = read(put_revision(caller), 201)
    assert (made["revision_id"], made["created"], made["changed"]) == ("0001_first", True, False)
    again = read(put_revision(caller), 200)
    assert (again["created"], again["changed"], again["checksum"]) == (False, False, made["checksum"])
    assert Revision.objects.count() == 1


def test_it_changes_a_revision_that_is_applied_nowhere(caller: Caller, service: Service) -> None:
    read(put_revision(caller), 201)
    changed = read(put_revision(caller, up=UP + "-- more\n"), 200)
    assert (changed["created"], changed["changed"]) == (False, True)


def test_it_refuses_other_bytes_for_an_applied_revision(
    caller: Caller, service: Service, environment: Environment
) -> None:
    made = read(put_revision(caller), 201)
    AppliedRevision.objects.create(
        environment=environment, revision_id="0001_first", seq=1, checksum=made["checksum"],
        applied_at=environment.created_at,
    )  # fmt: skip
    told = refusal(put_revision(caller, up=UP + "-- more\n"), 409)
    assert told["code"] == "revision_changed"
    assert "orders-eu" in told["message"]
    assert Revision.objects.get().up == UP
    read(put_revision(caller), 200)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"up": "CREATE TABLE ("}, 422, "syntax_error"),
        ({"up": "COMMIT;"}, 422, ""),
        ({"parent": "0000_none"}, 422, "missing_parent"),
        ({"up": "-- " + "x" * (2 << 20) + "\n" + UP}, 413, "too_large"),
    ],
)
def test_it_refuses_what_cannot_run(
    caller: Caller, service: Service, fields: dict[str, Any], status: int, code: str
) -> None:
    told = refusal(put_revision(caller, **fields), status)
    assert not code or told["code"] == code
    assert not Revision.objects.exists()


def test_it_starts_a_run(caller: Caller, environment: Environment) -> None:
    read(put_revision(caller), 201)
    made = read(start(caller, to="0001_first", reason="first"), 201)
    assert (made["status"], made["direction"], made["to_revision"]) == ("queued", "up", "0001_first")
    assert made["requested_by"] == "olga"
    assert Run.objects.get().pk == made["id"]
    assert AuditEntry.objects.filter(data__action="run.request", data__actor="olga").count() == 1


def start(caller: Caller, key: str = "", **fields: Any) -> Any:
    body = {"service": "orders", "environment": "orders-eu", "direction": "up", **fields}
    return caller.post("/runs", body, **({"Idempotency-Key": key} if key else {}))


def test_it_tells_every_unmet_condition(caller: Caller, environment: Environment, olga: User) -> None:
    make_run(environment, olga)
    told = refusal(start(caller), 409)
    assert told["code"] == "not_admitted"
    conditions = told["details"]["conditions"]
    assert [condition["code"] for condition in conditions] == ["run_open", "nothing_to_do"]
    assert all(set(condition) == {"code", "sentence", "clears"} for condition in conditions)
    assert Run.objects.count() == 1


def test_it_knows_the_same_request_again_by_its_key(caller: Caller, environment: Environment) -> None:
    read(put_revision(caller), 201)
    first = read(start(caller, key="k-1"), 201)
    again = read(start(caller, key="k-1"), 200)
    assert again["id"] == first["id"]
    assert refusal(start(caller, key="k-1", to="0001_first"), 409)["code"] == "idempotency_conflict"
    assert Run.objects.count() == 1


def test_it_keeps_the_keys_of_two_people_apart(caller: Caller, environment: Environment) -> None:
    read(put_revision(caller), 201)
    read(start(caller, key="k-1"), 201)
    otto = Caller(person("otto", "operator"))
    assert refusal(start(otto, key="k-1"), 409)["code"] == "not_admitted"


@pytest.mark.parametrize("key", [" ", "a b", "é", "x" * 201, "a\tb"])
def test_it_refuses_a_key_that_could_be_cut_on_the_way(caller: Caller, environment: Environment, key: str) -> None:
    assert "Idempotency-Key" in refusal(start(caller, key=key), 422)["message"]
    assert not Run.objects.exists()


def test_it_takes_a_key_of_200_characters(caller: Caller, environment: Environment) -> None:
    read(put_revision(caller), 201)
    read(start(caller, key="x" * 200), 201)


def test_it_does_not_start_what_is_not_there(caller: Caller, environment: Environment) -> None:
    assert refusal(start(caller, service="none"), 404)["message"].startswith("There is no environment")
    assert refusal(start(caller, environment="none"), 404)["code"] == "NOT_FOUND"
    assert refusal(start(caller, to="9999_none"), 422)["code"] == "unknown_revision"
    assert "direction" in refusal(start(caller, direction="sideways"), 422)["message"]


@pytest.mark.parametrize(
    ("status", "verb", "after"),
    [
        ("queued", "cancel", "cancelled"),
        ("queued", "pause", "paused"),
        ("running", "pause", "pausing"),
        ("paused", "resume", "queued"),
    ],
)
def test_it_asks_a_run_to_stop_or_go_on(
    caller: Caller, environment: Environment, olga: User, status: str, verb: str, after: str
) -> None:
    run = make_run(environment, olga, status)
    told = read(caller.post(f"/runs/{run.pk}/{verb}", {"reason": "a good one"}), 202)
    assert told["status"] == after
    run.refresh_from_db()
    assert run.status == after


def test_it_needs_no_body_for_that(caller: Caller, environment: Environment, olga: User) -> None:
    run = make_run(environment, olga, "running")
    told = read(caller.post(f"/runs/{run.pk}/cancel"), 202)
    assert told["asked"] == "cancel"
    assert read(caller.post(f"/runs/{make_run(make_environment(run.service, 'us'), olga).pk}/pause", {}), 202)


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
def test_it_says_why_a_run_that_ended_cannot_be_asked(
    caller: Caller, environment: Environment, olga: User, verb: str
) -> None:
    run = make_run(environment, olga, "succeeded")
    assert refusal(caller.post(f"/runs/{run.pk}/{verb}"), 409)["code"] == "run_is_succeeded"


def test_it_takes_a_verdict_from_those_on_call(environment: Environment, olga: User) -> None:
    run = make_run(environment, olga, "needs_operator", error={"revision_id": "0001_step", "step": 1})
    body = {"verdict": "done", "reason": "seen in the catalogue"}
    oncall = Caller(person("cal", "on-call"))
    assert "on-call" in refusal(Caller(olga).post(f"/runs/{run.pk}/resolve", body), 403)["message"]
    assert refusal(oncall.post(f"/runs/{run.pk}/resolve", {**body, "reason": "x"}), 422)["code"] == "reason_missing"
    assert "reason" in refusal(oncall.post(f"/runs/{run.pk}/resolve", {"verdict": "done"}), 422)["message"]
    assert read(oncall.post(f"/runs/{run.pk}/resolve", body), 202)["status"] == "queued"
    assert refusal(oncall.post(f"/runs/{run.pk}/resolve", body), 409)["code"] == "run_is_queued"
