"""Whatever is sent about gates gets an answer, and never a 5xx."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from migrations_app.models import Release
from migrations_app.permissions import ADMIN, RELEASE_MANAGER
from tests.edge.api_gates.calls import NOBODY, at, evidence
from tests.edge.caller import Caller, refusal
from tests.edge.people import person
from tests.edge.test_api_refusing import FUZZ, JSON

pytestmark = pytest.mark.django_db


@pytest.fixture
def fuzzer(db: None) -> Caller:
    """Somebody whom nothing is refused for want of a role."""
    return Caller(person("zoe", ADMIN, RELEASE_MANAGER))


HUGE = 10**30


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", f"/releases/{HUGE}", None),
        ("get", "/releases/-1", None),
        ("get", "/releases/one", None),
        ("get", f"/releases/{HUGE}/evidence", None),
        ("get", "/releases/{release}/evidence/0/artefact", None),
        ("get", f"/releases/{{release}}/evidence/{HUGE}/artefact", None),
        ("post", f"/releases/{HUGE}/evidence", evidence()),
        ("post", "/releases/{release}/gates/none/signoff", {"evidence_hash": NOBODY}),
        ("post", "/releases/{release}/gates/a%00b/signoff", {"evidence_hash": NOBODY}),
        ("post", f"/releases/{{release}}/gates/{'x' * 300}/signoff", {"evidence_hash": NOBODY}),
        ("post", f"/releases/{HUGE}/gates/build/signoff", {"evidence_hash": NOBODY}),
        ("post", f"/releases/{{release}}/signatures/{HUGE}/withdraw", {"reason": "ten characters"}),
        ("post", f"/waivers/{HUGE}/approve", {"reason": "ten characters"}),
        ("post", "/waivers/1/frobnicate", {"reason": "ten characters"}),
        ("get", f"/releases/{HUGE}/waivers", None),
        ("get", "/gate-catalogue?service=none", None),
        ("get", "/gate-catalogue?version=99", None),
    ],
)
def test_what_is_not_there_is_not_found(release: Release, ann: User, method: str, path: str, body: object) -> None:
    refusal(Caller(ann).send(method, path.format(release=release.pk), body), 404)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"evidence_hash": 7},
        {"evidence_hash": None},
        {"evidence_hash": "x" * 65},
        {"evidence_hash": "x", "comment": []},
        {"evidence_hash": "x", "comment": "c" * 1001},
        {"evidence_hash": "x", "comment": "\x00"},
    ],
)
def test_a_signature_of_the_wrong_shape_is_refused(release: Release, ann: User, body: object) -> None:
    refusal(Caller(ann).post(at(release, "gates", "build", "signoff"), body), 422)


@pytest.mark.parametrize(
    "query", ["after=x", "limit=0", "limit=x", "color=1", f"gate={'g' * 64}", "version=0", "gate=%00"]
)
def test_a_query_that_nothing_is_named_with_is_refused(caller: Caller, release: Release, query: str) -> None:
    for path in (at(release, "evidence"), at(release, "waivers"), "/gate-catalogue", "/gate-catalogue/versions"):
        assert 400 <= caller.get(f"{path}?{query}").status_code < 500


FIELDS = st.sampled_from(
    ["gate", "check", "status", "summary", "artefact", "artefact_base64", "artefact_sha256", "commit", "reason",
     "hours", "evidence_hash", "comment", "content", "note", "version", "service", "release_id", "artefacts"]
)  # fmt: skip


@FUZZ
@given(
    path=st.sampled_from(["{}/evidence", "{}/gates/build/signoff", "{}/waivers", "/gate-catalogue", "/releases"]),
    body=st.dictionaries(FIELDS, JSON | st.sampled_from(["build", "assets", "pass", "orders", 1]), max_size=8),
)
def test_it_never_fails_on_any_body(release: Release, fuzzer: Caller, path: str, body: dict[str, Any]) -> None:
    method = "put" if path == "/gate-catalogue" else "post"
    answer = fuzzer.send(method, path.format(at(release)), json.dumps(body).encode())
    assert answer.status_code < 500, answer.content
