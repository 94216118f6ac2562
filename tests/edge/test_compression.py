"""Large pages are compressed in passing; what arrives is what was drawn."""

from __future__ import annotations

import gzip

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from dashboard.middleware import LARGE, CompressLarge

PAGE = ("<td>é</td>" * LARGE)[:LARGE]


def answer(content: str, accepts: str, **headers: str) -> HttpResponse:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(content, headers=headers)

    return CompressLarge(view)(RequestFactory().get("/", headers={"accept-encoding": accepts}))


def test_a_large_page_arrives_as_it_was_drawn() -> None:
    response = answer(PAGE, "br, gzip", ETag='"one"', Vary="Cookie")
    assert gzip.decompress(response.content).decode() == PAGE
    assert response["Content-Encoding"] == "gzip"
    assert int(response["Content-Length"]) == len(response.content) < LARGE / 10
    assert (response["ETag"], response["Vary"]) == ('W/"one"', "Cookie, Accept-Encoding")


def test_its_length_does_not_tell_how_well_it_was_compressed() -> None:
    assert len({len(answer(PAGE, "gzip").content) for _ in range(40)}) > 5


@pytest.mark.parametrize(
    ("content", "accepts", "headers"),
    [("small", "gzip", {}), (PAGE, "identity", {}), (PAGE, "gzip", {"Content-Encoding": "br"})],
)
def test_other_answers_pass_as_they_are(content: str, accepts: str, headers: dict[str, str]) -> None:
    response = answer(content, accepts, **headers)
    assert response.content.decode() == content
    assert response.get("Content-Encoding") == headers.get("Content-Encoding")
