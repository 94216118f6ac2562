"""Exemptions over HTTP: one person asks, another one decides."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.models import GateWaiver, Release
from migrations_app.permissions import RELEASE_MANAGER
from tests.edge.api_gates.calls import at, check_of, told
from tests.edge.caller import Caller, read, refusal
from tests.edge.people import person

pytestmark = pytest.mark.django_db


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
