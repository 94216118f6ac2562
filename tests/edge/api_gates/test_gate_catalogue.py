"""The catalogue of gates over HTTP: read, changed version by version, and refused where it is none."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from django.contrib.auth.models import User

from migrations_app.models import GateCatalogue, Release
from tests.edge.api_gates.calls import told
from tests.edge.caller import Caller, read, refusal
from tests.releases.gates.shapes import SMALL

pytestmark = pytest.mark.django_db


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
