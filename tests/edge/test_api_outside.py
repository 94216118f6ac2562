"""What goes wrong around the API's views is told in the envelope as well."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from dashboard.api.outside import ApiErrors
from tests.edge.caller import refusal

pytestmark = pytest.mark.django_db


def told(path: str, inner: HttpResponse) -> HttpResponse:
    request: HttpRequest = RequestFactory().get(path)
    request.request_id = "request-1"  # type: ignore[attr-defined]
    response = ApiErrors(lambda _: inner)(request)
    response.setdefault("X-Request-ID", "request-1")
    return response


def test_it_leaves_pages_and_successes_alone() -> None:
    page, done = HttpResponse("no", status=404), HttpResponse("yes")
    assert told("/runs", page) is page
    assert told("/api/v1/runs", done) is done


def test_it_leaves_an_envelope_alone() -> None:
    inner = HttpResponse("{}", status=404, content_type="application/json")
    assert told("/api/v1/runs", inner) is inner


@pytest.mark.parametrize(
    ("status", "code", "shown"),
    [
        (400, "VALIDATION_ERROR", 400),
        (403, "FORBIDDEN", 403),
        (404, "NOT_FOUND", 404),
        (418, "VALIDATION_ERROR", 400),
        (500, "INTERNAL_ERROR", 500),
        (502, "INTERNAL_ERROR", 500),
        (503, "SERVICE_UNAVAILABLE", 503),
        (504, "DB_QUERY_TIMEOUT", 504),
    ],
)
def test_it_puts_a_page_of_error_into_the_envelope(status: int, code: str, shown: int) -> None:
    response = told("/api/v1/runs", HttpResponse("<h1>secret</h1>", status=status))
    assert refusal(response, shown)["code"] == code
    assert b"secret" not in response.content


def test_it_keeps_when_to_come_back() -> None:
    response = told("/api/v1/runs", HttpResponse(status=503, headers={"Retry-After": "4"}))
    assert response["Retry-After"] == "4"
    assert refusal(response, 503)


@pytest.mark.parametrize("path", ["/api/", "/api/v2/runs", "/api/v1x"])
def test_it_is_switched_on(path: str) -> None:
    assert refusal(Client().get(path), 404)["code"] == "NOT_FOUND"  # type: ignore[arg-type]


def test_a_wrong_host_is_logged_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    Client(raise_request_exception=False).get("/login", headers={"Host": "evil.example"})
    told = [record for record in caplog.records if "evil.example" in record.getMessage()]
    assert told and not any(record.exc_info for record in told)


def test_it_tells_a_wrong_host_in_the_envelope() -> None:
    response = Client(raise_request_exception=False).get("/api/v1/runs", headers={"Host": "evil.example"})
    assert refusal(response, 400)  # type: ignore[arg-type]
