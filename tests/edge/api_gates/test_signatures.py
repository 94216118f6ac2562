"""Signatures over HTTP: of exactly what was seen, never of one's own, and taken back."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from migrations_app.models import GateSignature, Release
from migrations_app.releases.registering import register_release
from migrations_app.statuses import WaiverVerb
from tests.edge.api_gates.calls import NOBODY, at, gate_of, told
from tests.edge.caller import ROOT, Caller, read, refusal
from tests.releases.gates.shapes import report, report_all, sign

pytestmark = pytest.mark.django_db


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


def test_a_browser_signs_on_the_page_alone(release: Release, ann: User) -> None:
    session = Client(raise_request_exception=False)
    session.force_login(ann)
    for method, path in (
        ("post", at(release, "gates", "build", "signoff")),
        *(("post", f"/waivers/1/{verb}") for verb in WaiverVerb.values),
        ("put", "/gate-catalogue"),
    ):
        answer = getattr(session, method)(ROOT + path, {"evidence_hash": NOBODY}, "application/json")
        told = refusal(answer, 401)
        assert told["message"].startswith("This takes an API token; in a browser it is done on its page.")
