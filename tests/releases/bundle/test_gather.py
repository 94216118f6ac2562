"""What a bundle leaves out it says so."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User

from migrations_app.models import GateSignature, Release
from migrations_app.releases.bundle import gather, shape
from migrations_app.releases.bundle.check import check
from migrations_app.releases.bundle.make import Bundle, make_bundle
from migrations_app.releases.gates.evidence import Attachment, post_evidence
from migrations_app.releases.gates.signing import withdraw
from migrations_app.releases.registering import register_release
from tests.releases.gates.shapes import make_ready

pytestmark = pytest.mark.django_db


def attach(release: Release, by: User, content: bytes) -> None:
    post_evidence(
        release=release, gate="build", check="assets", status="pass", summary="built",
        attachment=Attachment("build.log", "", content), by=by,
    )  # fmt: skip


def test_large_artefacts_are_told_by_their_hash(release: Release, olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "LARGEST_INLINE", 10)
    monkeypatch.setattr(gather, "MOST_INLINE", 12)
    for content in (b"larger than ten", b"short one", b"another"):
        attach(release, olga, content)
    bundle = json.loads(make_bundle(release, olga).text)
    told = [(row["content"] is None, row["left_out"]) for row in bundle["document"]["artefacts"]]
    assert told == [
        (True, "It is larger than 10 bytes."),
        (False, ""),
        (True, "The bundle holds 12 bytes of artefacts already."),
    ]
    check(bundle)


def test_links_beyond_the_limit_are_left_out(
    bundle: Bundle, release: Release, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = json.loads(bundle.text)
    assert (len(first["proof"]["links"]), first["proof"]["links_left_out"]) == (2, 0)
    monkeypatch.setattr(shape, "MOST_LINKS", 1)
    again = json.loads(make_bundle(release, olga).text)
    assert (again["proof"]["links"], again["proof"]["links_left_out"]) == ([], 2)
    check(again)


def test_one_that_is_only_registered_takes_no_revision_away(release: Release, olga: User) -> None:
    def brought(one: Release) -> list[str]:
        document = json.loads(make_bundle(one, olga).text)["document"]
        return [row["revision_id"] for row in document["revisions"]["rows"]]

    again = register_release(service=release.service, release_id="2.1", schema_rev="sc-10", by=olga).release
    assert brought(again) == brought(release) != []


def test_an_empty_release_has_a_bundle(release: Release, olga: User) -> None:
    bundle = json.loads(make_bundle(release, olga).text)
    assert (len(bundle["document"]["entries"]), bundle["document"]["signatures"]) == (1, [])
    assert check(bundle).startswith("The bundle of release 2.0 of orders agrees with itself: 0 reports, 0 signatures")


def test_a_ready_release_has_a_bundle_and_one_whose_signature_was_taken_back(
    release: Release, olga: User, ann: User, omar: User
) -> None:
    make_ready(release, olga, ann, omar)
    assert ". Ready for cutover: both gates pass. Seal " in check(json.loads(make_bundle(release, olga).text))
    withdraw(GateSignature.objects.get(gate_key="tests", by=ann), reason="a second thought", by=ann)
    assert ": one of two gates blocks. Seal " in check(json.loads(make_bundle(release, olga).text))
