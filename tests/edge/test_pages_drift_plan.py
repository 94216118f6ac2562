"""The upload page of a revision that ends a drift, and where it is told afterwards: filled in, finished, refused."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from migrations_app.fleet.revisions import put_revision
from migrations_app.models import Environment, Revision, SchemaDrift
from migrations_app.models.schema import DriftState
from migrations_app.permissions import OPERATOR, RELEASE_MANAGER
from tests.browser.client import signed_in
from tests.edge.caller import Caller
from tests.edge.people import person
from tests.edge.schemas import make_drift
from tests.edge.test_pages_payloads import Page
from tests.edge.test_pages_schema import PLACE, SCHEMA, text

pytestmark = pytest.mark.django_db

PLAN = f"{SCHEMA}/plan"
NAME = "0002_adopt_drift_of_orders_eu"


@pytest.fixture
def ann() -> Client:
    return signed_in(person("ann", RELEASE_MANAGER))


@pytest.fixture
def drift(environment: Environment) -> SchemaDrift:
    by = environment.created_by
    put_revision(service=environment.service, revision_id="0001_step", up="SELECT 1;", by=by)
    return make_drift(environment)


def fields(client: Client, path: str) -> dict[str, str]:
    """The form as it is drawn: what a person sends who changes nothing."""
    page = client.get(path).content.decode()
    found = dict(re.findall(r'<input type="(?:text|hidden)" name="(\w+)"(?: value="([^"]*)")?', page))
    areas = re.findall(r'<textarea name="(\w+)"[^>]*>\r?\n?(.*?)</textarea>', page, re.DOTALL)
    wanted = ("revision_id", "up", "down", "found", "planned")
    return {name: unescape(value) for name, value in (found | dict(areas)).items() if name in wanted}


def test_one_click_leads_to_the_page_with_the_draft_and_a_free_id(ann: Client, drift: SchemaDrift) -> None:
    page = ann.get(SCHEMA).content.decode()
    assert f'href="{PLAN}?way=adopt"' in page
    assert f'href="{PLAN}?way=revert"' in page
    given = fields(ann, f"{PLAN}?way=adopt")
    assert (given["revision_id"], given["found"], given["planned"]) == (NAME, drift.found_id, "")
    assert "ADD COLUMN IF NOT EXISTS note text;" in given["up"]
    assert "DROP COLUMN IF EXISTS note;" in given["down"]
    assert "A person has to finish and check it before it is uploaded" in text(ann, PLAN)
    back = fields(ann, f"{PLAN}?way=revert")
    assert (back["revision_id"], back["down"]) == ("0002_revert_drift_of_orders_eu", given["up"])


def test_uploaded_it_is_told_on_every_page_that_speaks_of_it(ann: Client, drift: SchemaDrift) -> None:
    given = fields(ann, f"{PLAN}?way=revert")
    name = given["revision_id"]
    ends = {part: given[part].replace("\n", "\r\n") for part in ("up", "down")}
    told = ann.post(f"{PLAN}?way=revert", given | ends, follow=True).content.decode()
    assert f"{name} was stored: it takes it back once it is applied on orders-eu." in unescape(told)
    assert "\r" not in Revision.objects.get(revision_id=name).up
    told = text(ann, SCHEMA)
    assert f"Revert planned {name} uploaded by ann" in told
    assert f"Drift stops runs here, but not one of {name} alone." in told
    assert f"Revert planned {name} uploaded by ann" in text(ann, PLACE)
    assert "Takes it back: orders-eu , found" in text(ann, f"/services/orders/revisions/{name}")
    assert f"{name} takes it back." in text(ann, "/")
    assert fields(ann, f"{PLAN}?way=revert")["planned"] == Revision.objects.get(revision_id=name).checksum


def test_a_stale_page_says_what_happened_and_keeps_what_was_typed(ann: Client, drift: SchemaDrift) -> None:
    given = fields(ann, PLAN)
    mine = given | {"up": "SELECT 'mine';"}
    ann.post(PLAN, given)
    response = ann.post(PLAN, mine)
    assert response.status_code == 422
    told = unescape(response.content.decode())
    assert f"{NAME} was uploaded meanwhile by ann: it adopts it." in told
    assert "SELECT 'mine';" in told
    response = ann.post(PLAN, fields(ann, PLAN) | {"found": "fp:v2:0"})
    assert "is not what was shown any more" in response.content.decode()
    assert "SELECT 'mine'" not in Revision.objects.get(revision_id=NAME).up


@pytest.mark.parametrize(
    "changes",
    [
        {"revision_id": ""},
        {"revision_id": "x" * 300},
        {"revision_id": "\x00"},
        {"up": ""},
        {"up": "-- TODO: make domain small"},
        {"up": "garbage"},
        {"up": "SELECT '\x00';"},
        {"found": ""},
        {"planned": "x" * 100},
    ],
)
def test_garbage_is_a_422_and_stores_nothing(ann: Client, drift: SchemaDrift, changes: dict[str, str]) -> None:
    assert ann.post(PLAN, fields(ann, PLAN) | changes).status_code == 422
    assert Revision.objects.count() == 1
    assert SchemaDrift.objects.get().state == DriftState.OPEN


def test_what_has_no_draft_leads_back_with_the_reason(ann: Client, drift: SchemaDrift) -> None:
    assert ann.get(f"{PLAN}?way=other").status_code == 400
    SchemaDrift.objects.update(baseline=None)
    assert "(baseline_unknown)" in ann.get(PLAN, follow=True).content.decode()
    SchemaDrift.objects.all().delete()
    assert "(no_drift)" in ann.get(PLAN, follow=True).content.decode()


def test_who_may_not_decide_sees_why(drift: SchemaDrift) -> None:
    otto = signed_in(person("otto", OPERATOR))
    assert otto.get(PLAN).status_code == 403
    assert "Upload it as a revision Needs one of these roles: release-manager, admin." in text(otto, f"{SCHEMA}/draft")


def test_what_was_typed_is_shown_verbatim(ann: Client, drift: SchemaDrift) -> None:
    harm = "</textarea><img src=x onerror=alert(1)>"
    ann.post(PLAN, fields(ann, PLAN) | {"up": f"SELECT '{harm}';"})
    page = Page(ann.get(PLAN))
    assert page.odd == []
    assert harm in page.text


def told(response: Any, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.content
    answer: dict[str, Any] = json.loads(response.content)
    return answer


def test_the_api_drafts_plans_and_tells(drift: SchemaDrift) -> None:
    caller, place = Caller(person("ann", RELEASE_MANAGER)), "/services/orders/environments/orders-eu"
    draft = told(caller.get(f"{place}/drift/draft", {"way": "adopt"}))
    assert (draft["revision_id"], draft["planned"]) == (NAME, "")
    asked = {name: draft[name] for name in ("way", "found", "planned", "revision_id", "up", "down")}
    assert told(caller.post(f"{place}/drift/plan", asked | {"found": "x"}), 409)["error"]["code"] == "drift_differs"
    assert told(caller.post(f"{place}/drift/plan", asked | {"way": "both"}), 422)
    taken = told(caller.post(f"{place}/drift/plan", asked | {"revision_id": "0001_step"}), 409)
    assert taken["error"]["code"] == "revision_taken"
    answer = told(caller.post(f"{place}/drift/plan", asked))
    found = answer["drift"]
    assert (found["state"], found["way"], found["revision_id"]) == ("adopting", "adopt", NAME)
    assert (found["planned_by"], answer["past"][0]["revision_id"]) == ("ann", NAME)
    again = told(caller.post(f"{place}/drift/plan", asked), 409)
    assert again["error"]["code"] == "drift_planned"
    assert told(caller.post(f"{place}/drift/plan", asked | {"planned": found["planned"], "down": None}))
    assert Revision.objects.get(revision_id=NAME).down is None
    ends = told(caller.get(f"/services/orders/revisions/{NAME}"))["drifts"]
    assert [(one["environment"], one["way"], one["state"]) for one in ends] == [("orders-eu", "adopt", "adopting")]
