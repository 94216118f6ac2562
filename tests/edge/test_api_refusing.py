"""Nothing that a client can send ends in a 5xx, a half-done change or a page of HTML."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg_pool import PoolTimeout

from dashboard import access, tokens
from dashboard.api.cursor import write
from migrations_app.models import ApiToken, Environment, Run, Service
from tests.edge.caller import ROOT, Caller, read, refusal
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_run, make_service
from tests.edge.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga() -> User:
    return person("olga", "operator", "admin", "on-call")


@pytest.fixture
def run(olga: User) -> Run:
    service = make_service(olga)
    make_revision(service, 1)
    environment = make_environment(service)
    make_receipt(environment, 1)
    return make_run(environment, olga)


# Who calls


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic b2xnYTp4", "bearer lockstep_00000000_x", "\xff", "Token x"]
)
def test_it_wants_a_token(olga: User, header: str) -> None:
    caller = Caller(None, headers={"Authorization": header})
    response = caller.get("/services")
    assert refusal(response, 401)["code"] == "UNAUTHORIZED"
    assert response["WWW-Authenticate"] == "Bearer"


def test_it_wants_one_for_everything_that_is_there(db: None) -> None:
    nobody = Caller()
    for path in ("/services", "/runs", "/audit", "/openapi.json"):
        assert "manage.py token" in refusal(nobody.get(path), 401)["message"]
    assert refusal(nobody.post("/runs", {}), 401)


def test_it_does_not_fall_back_to_the_session(olga: User) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(olga)
    response = client.get(f"{ROOT}/services", headers={"Authorization": "Bearer wrong"})
    assert refusal(response, 401)  # type: ignore[arg-type]


def test_it_refuses_a_token_that_ended_or_whose_user_is_disabled(caller: Caller, olga: User) -> None:
    tokens.revoke(ApiToken.objects.get(), by=olga)
    assert "was revoked" in refusal(caller.get("/services"), 401)["message"]
    other = Caller(olga)
    User.objects.update(is_active=False)
    assert "is disabled" in refusal(other.get("/services"), 401)["message"]


def test_it_lets_a_page_use_its_session_with_the_csrf_token_alone(olga: User, run: Run) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(olga)
    assert client.get(f"{ROOT}/services").status_code == 200
    path = f"{ROOT}/runs/{run.pk}/pause"
    without = client.post(path, b"{}", content_type="application/json")
    assert "CSRF" in refusal(without, 403)["message"]  # type: ignore[arg-type]
    from django.conf import settings as django_settings

    client.cookies[django_settings.CSRF_COOKIE_NAME] = "a" * 32
    elsewhere = client.post(
        path, b"{}", content_type="application/json",
        headers={"X-CSRFToken": "a" * 32, "Origin": "https://elsewhere.example"},
    )  # fmt: skip
    assert refusal(elsewhere, 403)  # type: ignore[arg-type]
    run.refresh_from_db()
    assert run.status == "running"
    with_token = client.post(path, b"{}", content_type="application/json", headers={"X-CSRFToken": "a" * 32})
    assert with_token.status_code == 202


def test_it_wants_no_csrf_token_beside_an_api_token(olga: User, run: Run) -> None:
    client = Client(enforce_csrf_checks=True)
    text = tokens.create(user=olga, by=olga).text
    path, headers = f"{ROOT}/runs/{run.pk}/pause", {"Authorization": f"Bearer {text}"}
    response = client.post(path, b"{}", content_type="application/json", headers=headers)
    assert response.status_code == 202


# Where


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/none",
        "/services/",
        "/services/none",
        "/services/orders/environments/none",
        "/services/orders/revisions/none",
        "/services/none/matrix",
        "/services/none/history",
        "/runs/0",
        "/runs/-1",
        "/runs/x",
        "/runs/1.0",
        f"/runs/{2**63}",
        f"/runs/{10**30}",
        "/runs/" + "9" * 5000,
        "/runs/9/log",
        "/services/a%00b",
        "/services/%ED%A0%80",
        "/services/%FF%FE",
        "/services/" + "x" * 3000,
        "/services/orders/revisions/a%2Fb",
        "/../../etc/passwd",
    ],
)
def test_it_answers_404_in_the_envelope(caller: Caller, run: Run, path: str) -> None:
    assert refusal(caller.get(path), 404)["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("delete", "/services", "GET, POST"),
        ("post", "/audit", "GET"),
        ("patch", "/runs/1", "GET"),
        ("get", "/runs/1/pause", "POST"),
    ],
)
def test_it_answers_405_with_what_is_possible(caller: Caller, method: str, path: str, allowed: str) -> None:
    response = caller.send(method, path)
    assert refusal(response, 405)["code"] == "METHOD_NOT_ALLOWED"
    assert response["Allow"] == allowed


def test_it_answers_head_like_get_without_a_body(caller: Caller, run: Run) -> None:
    response = Client().head(f"{ROOT}/runs/{run.pk}", headers=caller.headers)
    assert (response.status_code, response.content) == (200, b"")
    assert response["ETag"]


# With which query


@pytest.mark.parametrize(
    ("path", "query", "named"),
    [
        ("/services", {"color": "red"}, "color"),
        ("/services/orders", {"service": "x"}, "service"),
        ("/runs", {"limit": "0"}, "limit"),
        ("/runs", {"limit": "201"}, "limit"),
        ("/runs", {"limit": "x"}, "limit"),
        ("/runs", {"limit": "9" * 5000}, "limit"),
        ("/runs", {"after": "x"}, "after"),
        ("/runs", {"after": write("audit", 5)}, "after"),
        ("/runs", {"after": write("runs", 5)[:-1]}, "after"),
        ("/runs", {"after": "WzVd"}, "after"),
        ("/runs", {"after": "x" * 601}, "after"),
        ("/runs", {"after": [write("runs", 5), write("runs", 5)]}, "after"),
        ("/runs", {"mine": "perhaps"}, "mine"),
        ("/services", {"after": write("environments", 1, "a")}, "after"),
        ("/services/orders/environments", {"after": write("services", "a")}, "after"),
        ("/services/orders/revisions", {"after": write("runs", 1)}, "after"),
        ("/services/orders/history", {"after": write("runs", 1)}, "after"),
        ("/audit", {"after": write("runs", 1)}, "after"),
        ("/services/orders/history", {"environment": "x" * 201}, "environment"),
        ("/services/orders/history", {"environment": "a\x00b"}, "NUL"),
        ("/services/orders/history", {"a\x00b": "1"}, "NUL"),
        ("/services/orders/matrix", {"mode": "some"}, "mode"),
        ("/services/orders/matrix", {"limit": "101"}, "limit"),
        ("/services/orders/matrix", {"before": "0"}, "before"),
        ("/services/orders/matrix", {"before": str(2**31)}, "before"),
        ("/runs/{run}/log", {"after": str(2**63)}, "after"),
        ("/runs/{run}/log", {"after": "-1"}, "after"),
        ("/runs/{run}/log", {"limit": "2001"}, "limit"),
        ("/audit", {"actor": "x" * 301}, "actor"),
    ],
)
def test_it_names_what_is_wrong_in_the_query(
    caller: Caller, run: Run, path: str, query: dict[str, str | list[str]], named: str
) -> None:
    status = 400 if {"after", "before"} & set(query) else 422
    told = refusal(caller.get(path.format(run=run.pk), query), status)
    assert told["code"] == "VALIDATION_ERROR"
    assert named in told["message"]


# With which body


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 422, "body is missing"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe", 400, "not UTF-8"),
        (b'{"name": NaN}', 400, "NaN is not a JSON number"),
        (b'{"name": -Infinity}', 400, "-Infinity is not a JSON number"),
        (b'{"name": ' + b"9" * 5000 + b"}", 400, "too many digits"),
        (b'{"name": 1e999}', 400, "a number is too large"),
        (b'{"name": "a", "name": "b"}', 400, "a key stands twice"),
        (b"[" * 100_000, 400, "nests too deeply"),
        (b"[]", 422, "must be a JSON object"),
        (b'"x"', 422, "must be a JSON object"),
        (b"null", 422, "must be a JSON object"),
        (b'{"name": "a\\u0000b"}', 422, "NUL"),
        (b'{"a\\u0000b": 1}', 422, "NUL"),
        (b'{"name": "\\ud800"}', 422, "surrogate"),
        (b"{}", 422, "The field name is missing."),
        (b'{"name": 7}', 422, "The field name is not usable"),
        (b'{"name": null}', 422, "The field name is not usable"),
        (b'{"name": "' + b"x" * 64 + b'"}', 422, "The field name is not usable"),
        (b'{"name": "a", "color": 1, "size": 2}', 422, "There is no field color. There is no field size."),
    ],
)
def test_it_names_what_is_wrong_in_the_body(caller: Caller, body: bytes, status: int, says: str) -> None:
    told = refusal(caller.send("post", "/services", body), status)
    assert says in told["message"]
    assert told["message"].endswith("Nothing was done.")
    assert not Service.objects.exists()


def test_it_lists_the_fields_for_a_program(caller: Caller) -> None:
    told = refusal(caller.post("/services", {"name": "a", "color": 1}), 422)
    assert told["details"]["fields"] == [{"in": "body", "field": "color", "sentence": "There is no field color."}]


def test_it_lists_no_more_than_twenty(caller: Caller) -> None:
    told = refusal(caller.post("/services", {"name": "a", **{f"f{n}" + "x" * 1000: n for n in range(30)}}), 422)
    assert len(told["details"]["fields"]) == 20
    assert "And 10 more." in told["message"]
    assert len(told["message"]) < 5000


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_it_reads_json_alone(caller: Caller, kind: str) -> None:
    assert refusal(caller.send("post", "/services", b"name=a", content_type=kind), 415)
    assert not Service.objects.exists()


def test_it_reads_no_form_for_a_session_either(olga: User) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(olga)
    assert refusal(client.post(f"{ROOT}/services", {"name": "a"}), 415)  # type: ignore[arg-type]


def test_it_reads_eight_megabytes_at_most(caller: Caller) -> None:
    body = json.dumps({"name": "x" * (8 * 1024 * 1024)}).encode()
    told = refusal(caller.send("post", "/services", body), 413)
    assert told["code"] == "PAYLOAD_TOO_LARGE"
    assert "artefact" not in told["message"]


def test_it_says_that_it_reads_no_chunks(caller: Caller) -> None:
    told = refusal(caller.send("post", "/services", {"name": "a"}, **{"Transfer-Encoding": "chunked"}), 400)
    assert told["message"].startswith("The body was sent in chunks, which is not read here.")
    assert not Service.objects.exists()


@pytest.mark.parametrize("order", [2**31, -(2**31) - 1, 10**40, "1", 1.5, True])
def test_it_takes_a_number_for_a_number(caller: Caller, run: Run, order: Any) -> None:
    body = {"name": "a", "stage": "b", "dsn": "env:X", "order": order}
    assert "order" in refusal(caller.post("/services/orders/environments", body), 422)["message"]
    assert Environment.objects.count() == 1


# Whatever it is

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["name", "stage", "region", "order", "dsn", "health_url", "service", "environment", "direction", "to", "reason",
     "up", "down", "verify", "parent", "schema_rev", "phase", "verdict", "adopt"]
)  # fmt: skip
PATHS = (
    ("post", "/services"),
    ("post", "/services/orders/environments"),
    ("post", "/services/orders/environments/orders-eu/prove"),
    ("put", "/services/orders/revisions/0002_more"),
    ("post", "/runs"),
    ("post", "/runs/{run}/pause"),
    ("post", "/runs/{run}/resolve"),
)
FUZZ = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize(("method", "path"), PATHS)
@FUZZ
@given(body=st.dictionaries(FIELDS, JSON, max_size=6))
def test_it_never_fails_on_any_body(caller: Caller, run: Run, method: str, path: str, body: Any) -> None:
    response = caller.send(method, path.format(run=run.pk), json.dumps(body).encode())
    assert response.status_code < 500, response.content
    assert response["Content-Type"].startswith("application/json")


@FUZZ
@given(
    path=st.sampled_from(["/services", "/runs", "/audit", "/services/orders/history", "/services/orders/matrix",
                          "/services/orders/environments", "/services/orders/revisions", "/runs/1/log"]),
    name=st.sampled_from(["after", "limit", "before", "mode", "status", "mine", "environment", "actor", "revision"]),
    value=st.text() | st.integers().map(str) | st.datetimes().map(str),
)  # fmt: skip
def test_it_never_fails_on_any_query(caller: Caller, run: Run, path: str, name: str, value: str) -> None:
    value = value.encode("utf-8", "replace").decode()
    response = caller.get(f"{path}?{name}={quote(value)}")
    assert response.status_code < 500, response.content


@FUZZ
@given(name=st.text(min_size=1, max_size=300))
def test_it_never_fails_on_any_name(caller: Caller, run: Run, name: str) -> None:
    for path in ("/services/{}", "/services/orders/environments/{}", "/services/orders/revisions/{}", "/runs/{}"):
        response = caller.get(path.format(quote(name.encode("utf-8", "replace"), safe="")))
        assert response.status_code < 500, response.content


# When it is Lockstep's own failure


def test_it_shows_nothing_from_inside_when_it_crashes(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*args: object) -> None:
        raise RuntimeError("hunter2 in /srv/lockstep")

    monkeypatch.setattr(access, "services_for", crash)
    response = caller.get("/services")
    assert refusal(response, 500)["code"] == "INTERNAL_ERROR"
    assert b"hunter2" not in response.content
    assert b"Traceback" not in response.content


def test_it_types_an_exhausted_pool(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*args: object) -> None:
        raise OperationalError("couldn't get a connection after 2.00 sec") from PoolTimeout("…")

    monkeypatch.setattr(access, "services_for", exhausted)
    response = caller.get("/services")
    assert refusal(response, 503)["code"] == "DB_POOL_EXHAUSTED"
    assert response["Retry-After"] == str(read(response, 503)["meta"]["retry_after_seconds"]) == "5"


def test_it_types_a_database_that_went_away(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*args: object) -> None:
        raise OperationalError("password=hunter2 host=db")

    monkeypatch.setattr(access, "services_for", gone)
    response = caller.get("/services")
    assert refusal(response, 503)["code"] == "DB_CONNECTION_FAILED"
    assert b"hunter2" not in response.content
