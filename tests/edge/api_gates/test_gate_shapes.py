"""A release with its gates over HTTP, as they stand at that moment."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.models import GateCatalogue, Release, Service
from migrations_app.releases.registering import register_release
from tests.edge.api_gates.calls import check_of, gate_of, told
from tests.edge.caller import Caller, read
from tests.releases.gates.shapes import make_ready, report, stale

pytestmark = pytest.mark.django_db


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
    found = told(caller, register_release(service=service, release_id="1.0", schema_rev="sc-10", by=olga).release)
    assert (len(found["gates"]), found["catalogue"]["own"]) == (8, False)
