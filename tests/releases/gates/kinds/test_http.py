"""An address that is asked: what passes, what fails with which sentence, and what a catalogue may not hold."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from migrations_app.models import Environment, Release
from migrations_app.outbound.asking import MOST_BYTES
from migrations_app.releases.gates.kinds import http, longest_s
from tests.edge.fleet import make_environment
from tests.outbound.sites import Site, serving
from tests.releases.gates.kinds.checks import a_check, look, told

pytestmark = pytest.mark.django_db
STRICT = "The answer is no JSON that every reader takes alike"

HEALTH = {"status": "healthy", "database_pool": {"state": {"saturation": 0.5}}}


@pytest.fixture
def site(settings) -> Iterator[Site]:
    with serving() as found:
        settings.LOCKSTEP_OUTBOUND_HOSTS = [f"127.0.0.1:{found.port}"]
        found.says("/health", json.dumps(HEALTH), Content_Type="application/json")
        yield found


def test_an_answer_as_wanted_passes(release: Release, site: Site) -> None:
    found = look(
        release,
        "http",
        url=f"{site.url}/health",
        headers={"content-type": "application/json", "Date": ""},
        assertions=[{"path": "database_pool.state.saturation", "is": "less", "value": 0.9}],
    )
    assert told(found) == ("pass", f"GET {site.url}/health answered 200 with all that is wanted of it.")
    assert found.producer == f"{site.url}/health"
    assert found.detail == {"asked": [f"{site.url}/health"], "broken": {}}


def test_another_status_is_told_with_the_one_that_was_wanted(release: Release, site: Site) -> None:
    site.says("/health", status=503)
    assert told(look(release, "http", url=f"{site.url}/health")) == (
        "fail",
        f"GET {site.url}/health answered 503 instead of 200.",
    )
    found = look(release, "http", url=f"{site.url}/health", status=503)
    assert told(found) == ("pass", f"GET {site.url}/health answered 503.")


def test_a_redirect_is_an_answer(release: Release, site: Site) -> None:
    site.says("/health", status=302, Location=f"{site.url}/secret")
    assert look(release, "http", url=f"{site.url}/health").summary.endswith(
        "answered 302 instead of 200. Redirects are not followed."
    )
    assert len(site.asked) == 1


def test_all_that_is_wrong_is_told_and_what_was_found_is_not_signed(release: Release, site: Site) -> None:
    wanted = [
        {"path": "degraded_reason", "is": "exists"},
        {"path": "database_pool.state.saturation", "is": "less", "value": 0.4},
    ]
    headers = {"Retry-After": "", "Content-Type": "text/html"}
    found = look(release, "http", url=f"{site.url}/health", headers=headers, assertions=wanted)
    assert told(found) == (
        "fail",
        f"GET {site.url}/health: The header Retry-After is missing from the answer. The header Content-Type is "
        "'application/json' and not 'text/html'. degraded_reason is missing from the answer. "
        "database_pool.state.saturation is 0.5 and not less than 0.4.",
    )
    assert found.detail["broken"] == {
        f"{site.url}/health": [
            "header Retry-After",
            "header Content-Type",
            "degraded_reason exists",
            "database_pool.state.saturation less 0.4",
        ]
    }


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>", "The answer is no JSON."),
        (b"[" * 60_000, "The answer is no JSON."),
        (b'{"a": 1, "a": 0}', f"{STRICT}: a key stands twice in one object."),
        (b'{"a": NaN}', f"{STRICT}: NaN is not a JSON number."),
        (b'{"a": 1e999}', f"{STRICT}: a number is too large."),
        (b'"' + b"a" * MOST_BYTES + b'"', "The answer is longer than the 64 kB that are read."),
    ],
)
def test_what_is_no_json_of_a_usual_size_fails(release: Release, site: Site, body: bytes, why: str) -> None:
    site.says("/health", body)
    found = look(release, "http", url=f"{site.url}/health", assertions=[{"path": "a", "is": "exists"}])
    assert told(found) == ("fail", f"GET {site.url}/health: {why}")


def test_one_that_is_not_asked_or_does_not_answer_is_evidence_too(release: Release, site: Site, settings) -> None:
    found = look(release, "http", url=f"{site.url}/silent", timeout_seconds=0.2)
    assert told(found) == ("fail", f"GET {site.url}/silent: no answer within 0.2 s.")
    settings.LOCKSTEP_OUTBOUND_HOSTS = []
    found = look(release, "http", url=f"{site.url}/health")
    assert found.status == "fail"
    assert found.summary.endswith(f"adds 127.0.0.1:{site.port} to LOCKSTEP_OUTBOUND_HOSTS.")


def test_the_health_address_of_an_environment_or_of_a_whole_stage_is_asked(
    release: Release, site: Site, olga: User
) -> None:
    for order, name in enumerate(("orders-eu", "orders-us", "orders-dev")):
        make_environment(release.service, name, stage="dev" if name.endswith("dev") else "prod", order=order)
    Environment.objects.exclude(name="orders-us").update(health_url=f"{site.url}/health")
    assert told(look(release, "http", environment="orders-eu")) == ("pass", f"GET {site.url}/health answered 200.")
    found = look(release, "http", environment="prod", path="/deep")
    assert told(found) == ("fail", f"orders-us has no health address. GET {site.url}/deep answered 404 instead of 200.")
    assert longest_s(release, a_check("http", environment="prod", timeout_seconds=3)) == 6
    assert told(look(release, "http", environment="test")) == (
        "fail",
        "orders has no environment and no stage test.",
    )


@pytest.mark.parametrize(
    "good",
    [
        {"url": "https://shop.example/health"},
        {"environment": "prod", "path": "/health/deep?full=1", "method": "GET", "every_minutes": 5},
        {"url": "http://shop.internal:9000/", "status": 503, "headers": {"Retry-After": ""}, "timeout_seconds": 0.5},
    ],
)
def test_what_can_be_asked_is_taken(good: dict[str, object]) -> None:
    assert http.problem(good) == ""


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({}, "needs either a url, or an environment"),
        ({"url": "https://a.example/", "environment": "prod"}, "needs either a url, or an environment"),
        ({"url": 3}, "needs the setting url, a text of at most 2000 characters"),
        ({"url": "gopher://a.example/"}, "is no http or https address"),
        ({"url": "https://me@a.example/"}, "holds a user or a password"),
        ({"url": "https://a.example/", "path": "/b"}, "has a path beside a url"),
        ({"environment": "prod", "path": "//evil.example/"}, "it begins with one slash"),
        ({"environment": "prod", "path": "health"}, "it begins with one slash"),
        ({"environment": "prod", "path": "/a b"}, "holds a blank"),
        ({"environment": ""}, "needs the setting environment"),
        ({"url": "https://a.example/", "method": "POST"}, "has the method 'POST'; a check only asks, with GET."),
        ({"url": "https://a.example/", "status": 42}, "has the status 42"),
        ({"url": "https://a.example/", "status": True}, "has the status True"),
        ({"url": "https://a.example/", "headers": ["a"]}, "has headers that are no object"),
        ({"url": "https://a.example/", "headers": {"a b": ""}}, "wants the header 'a b'"),
        ({"url": "https://a.example/", "headers": {"a": 3}}, "wants the header 'a'"),
        ({"url": "https://a.example/", "assertions": [{}]}, "has an assertion 1"),
        ({"url": "https://a.example/", "timeout_seconds": 11}, "it is a number above 0, and at most 10."),
        ({"url": "https://a.example/", "every_minutes": 0}, "it is a whole number from 1 to"),
        ({"url": "https://a.example/", "body": "x"}, "has the setting 'body', which means nothing here"),
    ],
)
def test_anything_else_is_refused_by_its_mistake(wrong: dict[str, object], why: str) -> None:
    assert why in http.problem(wrong)
