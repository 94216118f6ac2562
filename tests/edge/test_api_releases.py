"""Releases over HTTP: registered once, listed, held against environments."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.models import Release, Service
from tests.edge.caller import Caller, read, refusal
from tests.edge.fleet import make_service
from tests.edge.releases import make_chain, make_release, make_standing

pytestmark = pytest.mark.django_db

BODY = {"service": "orders", "release_id": "1.0", "schema_rev": "sc-10", "schema_rev_min": "sc-9"}


@pytest.fixture
def service(olga: User) -> Service:
    service = make_service(olga)
    make_chain(service)
    return service


def test_it_registers_once(olga: User, service: Service) -> None:
    caller = Caller(olga)
    made = read(caller.post("/releases", BODY), 201)
    assert (made["created"], made["schema_rev_max"], made["created_by"]) == (True, "sc-10", "olga")
    again = read(caller.post("/releases", BODY), 200)
    assert again == {**made, "created": False}
    told = read(caller.get(f"/releases/{made['id']}"))
    assert set(told) - set(made) == {"verdict", "gates", "strangers", "catalogue"}
    assert {name: told[name] for name in made if name != "created"} == {k: v for k, v in made.items() if k != "created"}
    other = refusal(caller.post("/releases", {**BODY, "index_hash": "b"}), 409)
    assert other["code"] == "release_differs"
    assert Release.objects.count() == 1


def test_it_keeps_what_was_built_from_which_commit(olga: User, service: Service) -> None:
    built = [{"name": name, "sha256": digit * 64} for name, digit in (("wheel", "b"), ("image", "a"))]
    made = read(Caller(olga).post("/releases", {**BODY, "commit": "c0ffee", "artefacts": built}), 201)
    assert (made["commit"], [one["name"] for one in made["artefacts"]]) == ("c0ffee", ["image", "wheel"])
    assert (made["head_revision"], made["status"]) == ("0004_step", "draft")
    assert made["sentence"] == "Registered; nothing has reported about it."
    other = {**BODY, "commit": "c0ffee", "artefacts": built[:1]}
    assert refusal(Caller(olga).post("/releases", other), 409)["code"] == "release_differs"


@pytest.mark.parametrize(
    ("artefacts", "says"),
    [
        ([{"name": "a", "sha256": "x"}], "has no SHA-256"),
        ([{"name": "a", "sha256": "a" * 64}] * 2, "two artefacts have the same name"),
        ([{"name": "a", "sha256": "a" * 64}, {"name": " a", "sha256": "a" * 64}], "Two artefacts have the same name."),
        ([{"name": "a\nb", "sha256": "a" * 64}], "cannot be printed"),
        ({"a": "a" * 64}, "artefacts is not usable"),
        ([{"name": "a", "sha256": "a" * 64, "size": 1}], "There is no field artefacts.0.size."),
    ],
)
def test_it_names_what_is_wrong_with_an_artefact(olga: User, service: Service, artefacts: object, says: str) -> None:
    told = refusal(Caller(olga).post("/releases", {**BODY, "artefacts": artefacts}), 422)
    assert says in told["message"]
    assert not Release.objects.exists()


def test_a_script_finds_a_release_by_its_id(olga: User, service: Service) -> None:
    wanted = make_release(service, olga, "1.0/rc+1", "sc-10")
    make_release(make_service(olga, "billing"), olga, "1.0/rc+1", "sc-10")
    make_release(service, olga, "1.0", "sc-10")
    found = read(Caller(olga).get("/releases", {"service": "orders", "release_id": "1.0/rc+1"}))["releases"]
    assert [row["id"] for row in found] == [wanted.pk]
    assert read(Caller(olga).get("/releases", {"release_id": "2.0"}))["releases"] == []


def test_it_refuses_with_the_known_schemas(olga: User, service: Service) -> None:
    told = refusal(Caller(olga).post("/releases", {**BODY, "schema_rev": "sc-99"}), 422)
    assert told["code"] == "no_such_schema_rev"
    assert "sc-9, sc-10, sc-11, sc-2" in told["message"]
    assert Caller(olga).post("/releases", {**BODY, "state": "approved"}).status_code == 422
    assert Caller(olga).post("/releases", {**BODY, "service": "none"}).status_code == 404


def test_it_lists_a_page_at_a_time(olga: User, service: Service) -> None:
    other = make_service(olga, "billing")
    for n in range(3):
        make_release(service, olga, f"1.{n}", "sc-10")
        make_release(other, olga, f"2.{n}", "sc-10")
    caller = Caller(olga)
    first = read(caller.get("/releases", {"service": "orders", "limit": "2"}))
    assert [row["release_id"] for row in first["releases"]] == ["1.2", "1.1"]
    second = read(caller.get("/releases", {"service": "orders", "limit": "2", "after": first["next"]}))
    assert ([row["release_id"] for row in second["releases"]], second["next"]) == (["1.0"], None)
    assert len(read(caller.get("/releases"))["releases"]) == 6
    assert caller.get("/releases", {"after": first["next"]}).status_code == 400
    assert caller.get("/releases", {"service": "none"}).status_code == 404
    assert caller.get("/releases/999").status_code == 404


def test_it_holds_releases_against_environments(olga: User, service: Service) -> None:
    make_standing(service, "prod-eu", 2)
    make_standing(service, "prod-us", 6)
    make_standing(service, "prod-ap", 2, reachability="unreachable")
    for n in range(2):
        make_release(service, olga, f"1.{n}", "sc-10")
    told = read(Caller(olga).get("/services/orders/contracts", {"limit": "1"}))
    (row,) = told["releases"]
    assert {cell["environment"]: cell["fit"] for cell in row["cells"]} == {
        "prod-eu": "fits",
        "prod-us": "refuses",
        "prod-ap": "unknown",
    }
    assert {place["environment"]: place["schema_rev"] for place in told["environments"]} == {
        "prod-eu": "sc-10",
        "prod-us": "sc-2",
        "prod-ap": "",
    }
    older = read(Caller(olga).get("/services/orders/contracts", {"after": told["next"]}))
    assert ([row["release_id"] for row in older["releases"]], older["next"]) == (["1.0"], None)
