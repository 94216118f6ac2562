"""Evidence over HTTP: reported with or without its file, listed, handed out, and refused with a reason."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest
from django.contrib.auth.models import User

from migrations_app.models import GateEvidence, Release, Service
from migrations_app.releases.registering import register_release
from tests.edge.api_gates.calls import NOBODY, at, check_of, evidence, told
from tests.edge.caller import Caller, read, refusal
from tests.releases.gates.shapes import report, report_all

pytestmark = pytest.mark.django_db


def test_a_report_is_kept_with_its_file(caller: Caller, release: Release) -> None:
    content = b"<script>alert(1)</script>"
    digest = hashlib.sha256(content).hexdigest()
    body = evidence(producer="ci/unit", commit="c0ffee", artefact="a/b/ünits.html",
                    artefact_base64=b64encode(content).decode(), artefact_sha256=digest)  # fmt: skip
    made = read(caller.post(at(release, "evidence"), body), 201)
    assert (made["matched"], made["hint"], made["by"], made["source"]) == (True, "", "olga", "posted")
    assert made["artefact"] == {"name": "a/b/ünits.html", "sha256": digest, "size": len(content)}
    check = check_of(told(caller, release), "tests", "unit")
    assert (check["state"], check["sentence"], check["report"]["id"]) == ("pass", "412 passed", made["id"])
    assert check["report"]["artefact"] == made["artefact"]
    file = caller.get(at(release, "evidence", made["id"], "artefact"))
    assert (file.status_code, file.content, file["Content-Type"]) == (200, content, "application/octet-stream")
    assert file["Content-Disposition"] == "attachment; filename*=utf-8''%C3%BCnits.html"
    assert file["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert (file["X-Content-Type-Options"], file["Cache-Control"]) == ("nosniff", "private, no-store")


def test_a_hash_alone_has_no_file(caller: Caller, release: Release) -> None:
    made = read(caller.post(at(release, "evidence"), evidence(artefact="big.tar", artefact_sha256=NOBODY)), 201)
    assert made["artefact"] == {"name": "big.tar", "sha256": NOBODY, "size": None}
    assert (
        "No file is kept here" in refusal(caller.get(at(release, "evidence", made["id"], "artefact")), 404)["message"]
    )


def test_signs_that_nobody_sees_are_not_kept(caller: Caller, release: Release) -> None:
    said = "\u202e412\u00a0passed\x1b[0m\t in\u200b a\nrow"
    made = read(caller.post(at(release, "evidence"), evidence(summary=said, producer="ci\u202e/tests")), 201)
    assert (made["summary"], made["producer"]) == ("412 passed[0m  in a\nrow", "ci/tests")


def test_it_hints_at_the_check_that_was_meant(caller: Caller, release: Release) -> None:
    made = read(caller.post(at(release, "evidence"), evidence(check="units")), 201)
    assert made["matched"] is False
    assert made["hint"] == (
        "No check of this release is called tests/units, so no gate counts it. Is tests/unit meant?"
    )
    far = read(caller.post(at(release, "evidence"), evidence(gate="weather", check="sun")), 201)
    assert far["hint"] == "No check of this release is called weather/sun, so no gate counts it."


def test_evidence_is_listed_a_page_at_a_time(caller: Caller, release: Release, olga: User) -> None:
    report_all(release, olga)
    report(release, olga, "tests", "unit", "fail")
    first = read(caller.get(at(release, "evidence"), {"limit": "3"}))
    rest = read(caller.get(at(release, "evidence"), {"limit": "3", "after": first["next"]}))
    names = [(one["check"], one["status"]) for one in [*first["evidence"], *rest["evidence"]]]
    assert names == [("unit", "fail"), ("unit", "pass"), ("manifest", "pass"), ("assets", "pass")]
    assert rest["next"] is None
    some = read(caller.get(at(release, "evidence"), {"gate": "tests", "check": "unit"}))
    assert [one["status"] for one in some["evidence"]] == ["fail", "pass"]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"status": "maybe"}, 422, "bad_status"),
        ({"summary": " "}, 422, "summary_missing"),
        ({"gate": "../x"}, 422, "bad_name"),
        ({"artefact_sha256": "x" * 64}, 422, "bad_sha256"),
        ({"artefact_sha256": NOBODY, "artefact_base64": "YQ=="}, 422, "sha256_differs"),
        ({"artefact": "a\nb"}, 422, "bad_text"),
        ({"artefact_base64": "a"}, 422, "VALIDATION_ERROR"),
        ({"artefact_base64": "ü==="}, 422, "VALIDATION_ERROR"),
        ({"commit": "c" * 201}, 422, "VALIDATION_ERROR"),
        ({"summary": "a\x00b"}, 422, "VALIDATION_ERROR"),
        ({"by": "ann"}, 422, "VALIDATION_ERROR"),
        ({"check": 7}, 422, "VALIDATION_ERROR"),
        ({"check": None}, 422, "VALIDATION_ERROR"),
    ],
)
def test_it_names_what_is_wrong_with_a_report(
    caller: Caller, release: Release, fields: dict[str, object], status: int, code: str
) -> None:
    assert refusal(caller.post(at(release, "evidence"), evidence(**fields)), status)["code"] == code
    assert not GateEvidence.objects.exists()


def test_a_file_that_is_too_large_hears_the_way_out(caller: Caller, release: Release) -> None:
    large = b'{"artefact_base64": "' + b"A" * (8 * 1024 * 1024) + b'"}'
    found = refusal(caller.send("post", at(release, "evidence"), large), 413)
    assert "the most that is read is 8,388,608" in found["message"]
    assert "Attach an artefact of more than 6 MB on the release's page" in found["message"]


def test_evidence_of_another_commit_is_refused(caller: Caller, service: Service, olga: User) -> None:
    made = register_release(service=service, release_id="1.0", schema_rev="sc-10", commit="c0ffee", by=olga).release
    found = refusal(caller.post(at(made, "evidence"), evidence(commit="beef")), 409)
    assert found["code"] == "other_commit"
    fact = evidence(gate="functional-parity", check="no-drift")
    assert refusal(caller.post(at(made, "evidence"), fact), 409)["code"] == "found_out_otherwise"
