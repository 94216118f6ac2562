"""Cutovers, broken glass and freezes over HTTP: the same words and refusals as on the pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from migrations_app.models import Cutover, Environment, Release, Service
from migrations_app.permissions import ADMIN, ON_CALL, OPERATOR, RELEASE_MANAGER
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.registering import register_release
from migrations_app.rollouts.planning import OWN_SIGNATURES
from tests.browser.client import signed_in, text
from tests.edge.caller import Caller, read, refusal
from tests.edge.fleet import make_environment
from tests.edge.people import person
from tests.edge.releases import make_chain
from tests.edge.test_query_counts import SCRIPT
from tests.releases.gates.shapes import SMALL, make_ready, report_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(db: None) -> User:
    return person("ann", RELEASE_MANAGER)


@pytest.fixture
def omar(db: None) -> User:
    return person("omar", ON_CALL)


@pytest.fixture
def rita(db: None) -> User:
    return person("rita", RELEASE_MANAGER, OPERATOR)


@pytest.fixture
def release(service: Service, olga: User) -> Release:
    make_chain(service)
    service.revisions.update(up_script=SCRIPT, down_script=SCRIPT)
    Environment.objects.filter(pk=make_environment(service, "test-eu", "test").pk).update(reachability="ok")
    edit_catalogue(service=service, content=SMALL, note="small enough to read", by=person("ada", ADMIN))
    return register_release(service=service, release_id="2.0", schema_rev="sc-10", by=olga).release


def at(release: Release, rest: str) -> str:
    return f"/releases/{release.pk}/{rest}"


def codes(told: dict[str, Any]) -> list[str]:
    return [one["code"] for one in told["details"]["conditions"]]


def test_the_plan_says_what_is_in_the_way(release: Release, rita: User) -> None:
    told = read(Caller(rita).get(at(release, "cutover-plan")))
    assert not told["ready"]
    assert [one["code"] for one in told["conditions"]] == ["gate_blocks", "gate_blocks"]
    assert [(stop["environment"], stop["revisions"]) for stop in told["stops"]] == [("test-eu", 4)]


def test_it_starts_where_every_gate_passes(release: Release, olga: User, ann: User, omar: User, rita: User) -> None:
    make_ready(release, olga, ann, omar)
    told = read(Caller(rita).post(at(release, "cutovers"), {"reason": "the autumn release"}), 201)
    assert (told["status"], told["requested_by"]) == ("running", "rita")
    assert [(step["environment"], step["status"]) for step in told["steps"]] == [("test-eu", "pending")]
    assert [(one["gate"], one["signers"]) for one in told["gates"]] == [
        ("build", ["ann", "omar"]),
        ("tests", ["ann", "omar"]),
    ]
    assert read(Caller(rita).get(f"/cutovers/{told['id']}"))["id"] == told["id"]
    assert [one["id"] for one in read(Caller(rita).get("/cutovers?service=orders"))["cutovers"]] == [told["id"]]


def test_the_plan_is_that_of_who_asks(release: Release, olga: User, ann: User, omar: User, rita: User) -> None:
    make_ready(release, olga, ann, omar)
    told = read(Caller(ann).get(at(release, "cutover-plan")))
    assert (told["ready"], told["remark"]) == (False, OWN_SIGNATURES)
    refused = refusal(Caller(ann).post(at(release, "cutovers"), {}), 409)
    assert codes(refused) == [one["code"] for one in told["conditions"]]
    told = read(Caller(rita).get(at(release, "cutover-plan")))
    assert (told["verdict"], told["remark"]) == ("Ready for cutover: both gates pass.", "")


def test_it_is_refused_with_each_gate_that_blocks(release: Release, olga: User, rita: User) -> None:
    report_all(release, olga)
    told = refusal(Caller(rita).post(at(release, "cutovers"), {}), 409)
    assert codes(told) == ["gate_blocks", "gate_blocks"]
    assert not Cutover.objects.exists()


def test_a_window_that_is_over_is_refused(release: Release, olga: User, ann: User, omar: User, rita: User) -> None:
    make_ready(release, olga, ann, omar)
    window = {"planned_from": "2020-01-01T00:00:00Z", "planned_until": "2020-01-02T00:00:00Z"}
    assert codes(refusal(Caller(rita).post(at(release, "cutovers"), window), 409)) == ["too_late"]


@pytest.mark.parametrize(
    "body",
    [
        {"environments": ["nowhere"]},
        {"planned_from": "2027-01-01T00:00:00"},
        {"environments": "test-eu"},
        {"environments": []},
        {"planned_from": 1},
        {"planned_from": "1"},
        {"planned_from": "2030-01-02T00:00:00Z", "planned_until": "2030-01-01T00:00:00Z"},
        {"reason": "x" * 501},
    ],
)
def test_what_makes_no_sense_is_422(release: Release, rita: User, body: dict[str, object]) -> None:
    refusal(Caller(rita).post(at(release, "cutovers"), body), 422)


def test_the_glass_takes_two(release: Release, rita: User, omar: User) -> None:
    asked = read(Caller(omar).post(at(release, "glass"), {"typed": "2.0", "reason": "customers cannot pay"}), 201)
    assert asked["granted"] is None
    assert [one["gate"] for one in asked["blockers"]] == ["build", "tests"]
    own = Caller(omar).post(f"/glass/{asked['id']}/break", {"reason": "it has to be now"})
    assert refusal(own, 409)["code"] == "own_request"
    broken = read(Caller(rita).post(f"/glass/{asked['id']}/break", {"reason": "it has to be now"}))
    assert (broken["granted"], broken["answered_by"]) == (True, "rita")
    assert read(Caller(rita).get(f"/cutovers/{broken['cutover']}"))["glass"] == asked["id"]


def test_declined_it_starts_nothing(release: Release, rita: User, omar: User) -> None:
    asked = read(Caller(omar).post(at(release, "glass"), {"typed": "2.0", "reason": "customers cannot pay"}), 201)
    told = read(Caller(rita).post(f"/glass/{asked['id']}/decline", {"reason": "it can wait until noon"}))
    assert (told["granted"], told["cutover"]) == (False, None)
    again = Caller(rita).post(f"/glass/{asked['id']}/break", {"reason": "it has to be now"})
    assert refusal(again, 409)["code"] == "glass_is_answered"


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        ("9998-12-30T23:30:00-12:00", "9999-12-31T23:30:00-12:00"),
        ("0001-01-01T00:00:00+14:00", "0001-01-02T00:00:00Z"),
        ("9999-06-01T00:00:00Z", "9999-06-02T00:00:00Z"),
        ("1969-12-31T23:59:59Z", "1970-01-02T00:00:00Z"),
    ],
)
def test_moments_that_no_database_holds_are_refused(ann: User, starts_at: str, ends_at: str) -> None:
    body = {"starts_at": starts_at, "ends_at": ends_at, "reason": "the sale goes on"}
    assert "between the years 1970 and 9000" in refusal(Caller(ann).post("/freezes", body), 422)["message"]
    page = signed_in(ann).post("/freezes", {**body, "service": ""})
    assert (page.status_code, "between the years 1970 and 9000" in text(page)) == (422, True)
    assert read(Caller(ann).get("/freezes"))["freezes"] == []


def test_a_moment_with_any_offset_is_kept_as_what_it_is(ann: User) -> None:
    body = {"starts_at": "2027-01-31T08:00:00+23:00", "ends_at": "2027-02-01T00:00:00Z", "reason": "the sale goes on"}
    assert read(Caller(ann).post("/freezes", body), 201)["starts_at"] == "2027-01-30T09:00:00+00:00"


def test_a_freeze_is_added_lifted_and_keeps_production_back(release: Release, ann: User, rita: User) -> None:
    Environment.objects.update(stage="prod", rehearsal_policy="never")
    body = {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-12-31T00:00:00Z", "reason": "the sale goes on"}
    read(Caller(ann).post("/freezes", body), 201)
    body |= {"starts_at": "2026-06-01T00:00:00Z", "ends_at": "2027-05-30T00:00:00Z", "service": "orders"}
    freeze = read(Caller(ann).post("/freezes", body), 201)
    stop = read(Caller(rita).get(at(release, "cutover-plan")))["stops"][0]
    assert "frozen" in [one["code"] for one in stop["conditions"]]
    lifted = read(Caller(ann).post(f"/freezes/{freeze['id']}/lift", {"reason": "it sold out early"}))
    assert lifted["lifted_by"] == "ann"
    stop = read(Caller(rita).get(at(release, "cutover-plan")))["stops"][0]
    assert "frozen" not in [one["code"] for one in stop["conditions"]]
    assert len(read(Caller(ann).get("/freezes"))["freezes"]) == 2
