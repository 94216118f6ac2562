"""A release's gates over HTTP: told as they stand, reported to, signed, exempted, and their catalogue edited."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from copy import deepcopy
from typing import Any

import pytest
from django.contrib.auth.models import User

from migrations_app.models import GateCatalogue, GateEvidence, GateSignature, GateWaiver, Release, Service
from migrations_app.permissions import ADMIN, ON_CALL, RELEASE_MANAGER
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.registering import register_release
from tests.edge.caller import Caller, read, refusal
from tests.edge.people import person
from tests.edge.releases import make_chain
from tests.releases.gates.shapes import SMALL, make_ready, report, report_all, sign, stale

pytestmark = pytest.mark.django_db

NOBODY = "0" * 64


@pytest.fixture
def ann(db: None) -> User:
    return person("ann", RELEASE_MANAGER)


@pytest.fixture
def omar(db: None) -> User:
    return person("omar", ON_CALL)


@pytest.fixture
def ada(db: None) -> User:
    return person("ada", ADMIN)


@pytest.fixture
def release(service: Service, olga: User, ada: User) -> Release:
    make_chain(service)
    edit_catalogue(service=service, content=SMALL, note="small enough to read", by=ada)
    return register_release(service=service, release_id="2.0", schema_rev="sc-10", by=olga).release


def at(release: Release, *rest: object) -> str:
    return "/".join(["/releases", str(release.pk), *map(str, rest)])


def told(caller: Caller, release: Release) -> dict[str, Any]:
    found: dict[str, Any] = read(caller.get(at(release)))
    return found


def gate_of(found: dict[str, Any], key: str) -> dict[str, Any]:
    return next(gate for gate in found["gates"] if gate["key"] == key)


def check_of(found: dict[str, Any], gate: str, key: str) -> dict[str, Any]:
    return next(check for check in gate_of(found, gate)["checks"] if check["key"] == key)


def evidence(**fields: object) -> dict[str, object]:
    return {"gate": "tests", "check": "unit", "status": "pass", "summary": "412 passed", **fields}


# Told as they stand


def test_it_tells_what_a_new_release_waits_for(caller: Caller, release: Release) -> None:
    found = told(caller, release)
    assert (found["status"], found["verdict"]["ready"]) == ("draft", False)
    assert found["verdict"]["sentence"] == "Not ready for cutover: two of two gates block."
    assert [one["gate"] for one in found["verdict"]["blockers"]] == ["build", "tests"]
    assert found["catalogue"] == {"version": 1, "sha256": GateCatalogue.objects.get(service=release.service).sha256,
                                  "own": True}  # fmt: skip
    missing = check_of(found, "build", "assets")
    assert (missing["state"], missing["blocks"], missing["producer"], missing["command"]) == (
        "missing", True, "ci/assets", "make assets",
    )  # fmt: skip
    assert missing["sentence"] == "Nothing has reported it; expected from ci/assets as build/assets."
    wanted = gate_of(found, "tests")
    assert (wanted["number"], wanted["signed"], wanted["wanted"], wanted["roles"]) == (2, 0, 2, ["release-manager"])


def test_it_tells_ready_while_every_gate_passes(
    caller: Caller, release: Release, olga: User, ann: User, omar: User
) -> None:
    make_ready(release, olga, ann, omar)
    found = told(caller, release)
    assert (found["status"], found["sentence"]) == ("ready", "Every gate passes and is signed; it may be cut over.")
    assert found["verdict"] == {**found["verdict"], "ready": True, "blockers": []}
    assert found["verdict"]["changes_at"] == check_of(found, "tests", "unit")["until"]
    assert [one["by"] for one in gate_of(found, "tests")["signatures"]] == ["omar", "ann"]
    assert read(caller.get("/releases"))["releases"][0]["status"] == "collecting"


def test_it_tells_how_old_what_is_stale_is(caller: Caller, release: Release) -> None:
    stale(release, "tests", "unit", hours=3)
    check = check_of(told(caller, release), "tests", "unit")
    assert (check["state"], check["max_age_hours"], check["report"]["producer"]) == ("stale", 2, "ci")
    assert check["sentence"] == "Last shown 3 h ago by ci; the limit is 2 h."


def test_it_suggests_a_report_that_may_be_meant(caller: Caller, release: Release, olga: User) -> None:
    report(release, olga, "tests", "units")
    found = told(caller, release)
    assert [one["check"] for one in check_of(found, "tests", "unit")["similar"]] == ["units"]
    assert [(one["gate"], one["check"]) for one in found["strangers"]] == [("tests", "units")]


def test_a_release_older_than_its_gates_is_told_too(caller: Caller, service: Service, olga: User) -> None:
    make_chain(service)
    found = told(caller, register_release(service=service, release_id="1.0", schema_rev="sc-10", by=olga).release)
    assert (len(found["gates"]), found["catalogue"]["own"]) == (8, False)


# Evidence


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
    assert (file["Content-Security-Policy"], file["X-Content-Type-Options"]) == ("default-src 'none'", "nosniff")


def test_a_hash_alone_has_no_file(caller: Caller, release: Release) -> None:
    made = read(caller.post(at(release, "evidence"), evidence(artefact="big.tar", artefact_sha256=NOBODY)), 201)
    assert made["artefact"] == {"name": "big.tar", "sha256": NOBODY, "size": None}
    assert (
        "No file is kept here" in refusal(caller.get(at(release, "evidence", made["id"], "artefact")), 404)["message"]
    )


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
    make_chain(service)
    made = register_release(service=service, release_id="1.0", schema_rev="sc-10", commit="c0ffee", by=olga).release
    found = refusal(caller.post(at(made, "evidence"), evidence(commit="beef")), 409)
    assert found["code"] == "other_commit"
    fact = evidence(gate="functional-parity", check="no-drift")
    assert refusal(caller.post(at(made, "evidence"), fact), 409)["code"] == "found_out_otherwise"


# Signatures


def test_a_person_signs_what_they_saw_and_takes_it_back(release: Release, olga: User, ann: User) -> None:
    report_all(release, olga)
    hers = Caller(ann)
    seen = gate_of(told(hers, release), "build")["evidence_hash"]
    path = at(release, "gates", "build", "signoff")
    signed = read(hers.post(path, {"evidence_hash": seen, "comment": "looked at the log"}), 201)
    assert (signed["by"], signed["void"], signed["comment"]) == ("ann", "", "looked at the log")
    assert gate_of(told(hers, release), "build")["passes"]
    assert refusal(hers.post(path, {"evidence_hash": seen}), 409)["code"] == "signed_before"
    back = at(release, "signatures", signed["id"], "withdraw")
    assert refusal(hers.post(back, {"reason": "short"}), 422)["code"] == "reason_missing"
    taken = read(hers.post(back, {"reason": "it was the wrong log"}))
    assert taken["void"] == "Withdrawn by ann: it was the wrong log."
    assert refusal(hers.post(back, {"reason": "it was the wrong log"}), 409)["code"] == "withdrawn_before"


def test_other_evidence_than_was_seen_is_told_with_both_hashes(release: Release, olga: User, ann: User) -> None:
    report_all(release, olga)
    hers = Caller(ann)
    seen = gate_of(told(hers, release), "tests")["evidence_hash"]
    report(release, olga, "tests", "unit")
    found = refusal(hers.post(at(release, "gates", "tests", "signoff"), {"evidence_hash": seen}), 409)
    stands = gate_of(told(hers, release), "tests")["evidence_hash"]
    assert (found["code"], found["details"]["shown"], found["details"]["stands"]) == ("evidence_changed", seen, stands)
    assert not GateSignature.objects.exists()


def test_nobody_signs_their_own_release(caller: Caller, release: Release, olga: User) -> None:
    report_all(release, olga)
    seen = gate_of(told(caller, release), "build")["evidence_hash"]
    found = refusal(caller.post(at(release, "gates", "build", "signoff"), {"evidence_hash": seen}), 403)
    assert (found["code"], found["details"]["next_step"]) == ("own_release", "Ask somebody who had no hand in it.")


def test_what_does_not_pass_is_not_signed(release: Release, ann: User) -> None:
    hers = Caller(ann)
    seen = gate_of(told(hers, release), "build")["evidence_hash"]
    found = refusal(hers.post(at(release, "gates", "build", "signoff"), {"evidence_hash": seen}), 409)
    assert found["code"] == "gate_not_green"
    assert "expected from ci/assets" in found["message"]


def test_nobody_takes_back_what_another_signed(release: Release, olga: User, ann: User, omar: User) -> None:
    report_all(release, olga)
    signed = sign(release, "build", ann)
    path = at(release, "signatures", signed.pk, "withdraw")
    assert refusal(Caller(omar).post(path, {"reason": "it is not mine"}), 409)["code"] == "not_yours"
    other = register_release(service=release.service, release_id="2.1", schema_rev="sc-10", by=olga).release
    assert refusal(Caller(ann).post(at(other, "signatures", signed.pk, "withdraw"), {"reason": "wrong release"}), 404)


# Exemptions


WANTED = {"gate": "build", "check": "manifest", "reason": "the list comes tomorrow", "hours": 24}


def test_two_people_let_a_check_pass_for_a_while(caller: Caller, release: Release, ann: User) -> None:
    asked = read(caller.post(at(release, "waivers"), WANTED), 201)
    assert (asked["state"], asked["requested_by"], asked["decisions"]) == ("asked", "olga", [])
    assert check_of(told(caller, release), "build", "manifest")["asked"]["id"] == asked["id"]
    assert refusal(caller.post(at(release, "waivers"), WANTED), 409)["code"] == "waiver_asked"
    approved = read(Caller(ann).post(f"/waivers/{asked['id']}/approve"))
    assert (approved["state"], approved["decisions"][0]["by"]) == ("approved", "ann")
    check = check_of(told(caller, release), "build", "manifest")
    assert (check["state"], check["exemption"]["approved_by"], check["asked"]) == ("waived", "ann", None)
    again = refusal(Caller(ann).post(f"/waivers/{asked['id']}/approve"), 409)
    assert again["code"] == "waiver_is_approve"
    revoked = read(Caller(ann).post(f"/waivers/{asked['id']}/revoke", {"reason": "the list is here"}))
    assert revoked["state"] == "revoked"
    assert check_of(told(caller, release), "build", "manifest")["state"] == "missing"


def test_whoever_asked_decides_nothing_but_takes_it_back(release: Release, ann: User, omar: User) -> None:
    asked = read(Caller(ann).post(at(release, "waivers"), WANTED), 201)["id"]
    assert refusal(Caller(ann).post(f"/waivers/{asked}/approve"), 409)["code"] == "own_request"
    assert refusal(Caller(omar).post(f"/waivers/{asked}/approve"), 403)["code"] == "FORBIDDEN"
    why = {"reason": "it is not needed"}
    assert refusal(Caller(omar).post(f"/waivers/{asked}/withdraw", why), 409)["code"] == "not_yours"
    assert read(Caller(ann).post(f"/waivers/{asked}/withdraw", why))["state"] == "withdrawn"
    assert [one["state"] for one in read(Caller(omar).get(at(release, "waivers")))["waivers"]] == ["withdrawn"]


def test_one_that_is_declined_is_over(caller: Caller, release: Release, ann: User) -> None:
    asked = read(caller.post(at(release, "waivers"), WANTED), 201)["id"]
    assert refusal(Caller(ann).post(f"/waivers/{asked}/decline"), 422)["code"] == "reason_missing"
    assert read(Caller(ann).post(f"/waivers/{asked}/decline", {"reason": "have it made"}))["state"] == "declined"


def test_the_author_approves_no_exemption_of_their_release(release: Release, olga: User, omar: User) -> None:
    olga.groups.add(person("x", RELEASE_MANAGER).groups.get())
    asked = read(Caller(omar).post(at(release, "waivers"), WANTED), 201)["id"]
    assert refusal(Caller(olga).post(f"/waivers/{asked}/approve"), 403)["code"] == "own_release"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"hours": 0}, 422, "bad_expiry"),
        ({"hours": 169}, 422, "bad_expiry"),
        ({"hours": 10**40}, 422, "bad_expiry"),
        ({"hours": "1"}, 422, "VALIDATION_ERROR"),
        ({"reason": "because"}, 422, "reason_missing"),
        ({"reason": "x" * 501}, 422, "VALIDATION_ERROR"),
        ({"gate": "none"}, 404, "no_such_gate"),
        ({"check": "none"}, 404, "no_such_check"),
    ],
)
def test_it_names_what_is_wrong_with_an_exemption(
    caller: Caller, release: Release, fields: dict[str, object], status: int, code: str
) -> None:
    assert refusal(caller.post(at(release, "waivers"), {**WANTED, **fields}), status)["code"] == code
    assert not GateWaiver.objects.exists()


# The catalogue


def test_an_admin_edits_the_catalogue_and_releases_keep_theirs(release: Release, ada: User) -> None:
    hers = Caller(ada)
    shown = read(hers.get("/gate-catalogue", {"service": "orders"}))
    assert (shown["version"], shown["service"], shown["created_by"]) == (1, "orders", "ada")
    content = deepcopy(shown["content"])
    content["gates"][0]["checks"].pop()
    body = {"service": "orders", "content": content, "note": "the manifest is gone", "version": 1}
    made = read(hers.put("/gate-catalogue", body))
    assert (made["version"], made["content"]) == (2, content)
    assert refusal(hers.put("/gate-catalogue", body), 409)["code"] == "catalogue_differs"
    assert refusal(hers.put("/gate-catalogue", {**body, "version": 2}), 409)["code"] == "catalogue_same"
    assert told(hers, release)["catalogue"]["version"] == 1
    listed = read(hers.get("/gate-catalogue/versions", {"service": "orders", "limit": "1"}))
    assert [one["note"] for one in listed["versions"]] == ["the manifest is gone"]
    older = read(hers.get("/gate-catalogue/versions", {"service": "orders", "after": listed["next"]}))
    assert [one["version"] for one in older["versions"]] == [1]
    assert read(hers.get("/gate-catalogue", {"service": "orders", "version": "1"}))["content"] == SMALL


def test_the_first_catalogue_is_the_one_that_came_with_the_product(caller: Caller, ada: User) -> None:
    shown = read(caller.get("/gate-catalogue"))
    assert (shown["version"], shown["service"], shown["created_at"], len(shown["content"]["gates"])) == (
        1, None, None, 8,
    )  # fmt: skip
    assert read(caller.get("/gate-catalogue/versions")) == {"versions": [], "next": None}
    body = {"content": SMALL, "note": "ours is smaller", "version": 1}
    assert read(Caller(ada).put("/gate-catalogue", body))["version"] == 2
    assert refusal(caller.put("/gate-catalogue", body), 403)


def nested(levels: int) -> str:
    return '{"a": ' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        (nested(11), 422),
        (nested(200), 422),
        (nested(50_000), 400),
        (json.dumps({"a": "x" * 20_000}), 422),
        (json.dumps({"a": 10**4000}), 422),
        (json.dumps({"a": [[]] * 5000}), 422),
    ],
    ids=["eleven deep", "two hundred deep", "bottomless", "long", "great", "many"],
)
def test_settings_that_nobody_could_keep_are_refused(ada: User, settings: str, status: int) -> None:
    content: dict[str, Any] = deepcopy(SMALL)
    content["gates"][0]["checks"][0]["settings"] = "SETTINGS"
    body = json.dumps({"content": content, "note": "ten characters", "version": 1}).replace('"SETTINGS"', settings)
    assert refusal(Caller(ada).put("/gate-catalogue", body.encode()), status)
    assert not GateCatalogue.objects.exists()


@pytest.mark.parametrize(
    "content",
    [{}, {"gates": []}, {"gates": {}}, {"gates": [7]}, {"gates": [{"key": 1}]}, {**SMALL, "a": 1}, [], "x", None],
)
def test_what_is_no_catalogue_is_refused(ada: User, content: object) -> None:
    refusal(Caller(ada).put("/gate-catalogue", {"content": content, "note": "ten characters", "version": 1}), 422)
    assert not GateCatalogue.objects.exists()


# Whatever it is


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
