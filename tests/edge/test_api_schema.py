"""Schemas over the API: what is told, what is decided, what is refused."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from migrations_app.models import Environment, SchemaDrift, SchemaState
from migrations_app.models.schema import DriftState
from migrations_app.permissions import RELEASE_MANAGER, VIEWER
from tests.edge.caller import Caller
from tests.edge.fleet import make_environment, make_run
from tests.edge.people import person
from tests.edge.schemas import COLUMN, HASHED, TABLE, make_drift, make_reading

pytestmark = pytest.mark.django_db

PLACE = "/services/orders/environments/orders-eu"
WHY = "The team knows of it."


@pytest.fixture
def ann() -> Caller:
    return Caller(person("ann", RELEASE_MANAGER))


def told(response: HttpResponse, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.content
    answer: dict[str, Any] = json.loads(response.content)
    return answer


def test_a_schema_that_nobody_read_is_never_called_clean(ann: Caller, environment: Environment) -> None:
    answer = told(ann.get(f"{PLACE}/schema"))
    assert (answer["standing"], answer["read_at"], answer["drift"]) == ("never", None, None)


def test_a_drift_is_told_with_its_differences_and_who_did_it(ann: Caller, environment: Environment) -> None:
    drift = make_drift(environment)
    answer = told(ann.get(f"{PLACE}/schema"))
    assert (answer["standing"], answer["fingerprint"]) == ("drifted", drift.found_id)
    assert [(one["kind"], one["sign"]) for one in answer["drift"]["differences"]] == [("column", "+"), ("index", "~")]
    assert answer["drift"]["differences"][1]["after"].endswith("USING hash (id)")
    assert answer["drift"]["changed_by"][0]["login"] == "mallory"
    assert answer["drift"]["changed_by"][0]["statement"].startswith("ALTER TABLE")


def test_a_viewer_is_told_without_sql(environment: Environment) -> None:
    make_drift(environment)
    answer = told(Caller(person("vic", VIEWER)).get(f"{PLACE}/schema"))
    assert {one["after"] for one in answer["drift"]["differences"]} == {None}
    assert answer["drift"]["changed_by"][0]["statement"] is None
    assert "USING hash" not in json.dumps(answer)


def test_it_is_ignored_accepted_and_its_policy_set(ann: Caller, environment: Environment) -> None:
    drift = make_drift(environment)
    until = (timezone.now() + timedelta(days=2)).isoformat()
    answer = told(ann.post(f"{PLACE}/drift/ignore", {"until": until, "reason": WHY}))
    assert (answer["standing"], answer["drift"]["decided_by"]) == ("ignored", "ann")
    assert told(ann.put(f"{PLACE}/drift/policy", {"blocks": True}))["blocks"] is True
    assert told(ann.put(f"{PLACE}/drift/policy", {"blocks": None}))["blocks"] is None
    refused = told(ann.post(f"{PLACE}/drift/accept", {"found": "fp:other", "reason": WHY}), 409)
    assert refused["error"]["code"] == "drift_differs"
    answer = told(ann.post(f"{PLACE}/drift/accept", {"found": drift.found_id, "reason": WHY}))
    assert (answer["standing"], answer["drift"]) == ("clean", None)
    assert SchemaDrift.objects.get().state == DriftState.ACCEPTED


@pytest.mark.parametrize(
    "body",
    [
        {"until": "2000-01-01T00:00:00Z", "reason": WHY},
        {"until": "tomorrow", "reason": WHY},
        {"until": "2030-01-01T00:00:00", "reason": WHY},
        {"until": 5, "reason": "short"},
        {"reason": WHY},
    ],
)
def test_a_time_that_makes_no_sense_is_a_422_and_changes_nothing(
    ann: Caller, environment: Environment, body: dict[str, Any]
) -> None:
    make_drift(environment)
    told(ann.post(f"{PLACE}/drift/ignore", body), 422)
    assert SchemaDrift.objects.get().state == DriftState.OPEN


def test_a_draft_is_sql_both_ways(ann: Caller, environment: Environment) -> None:
    assert told(ann.get(f"{PLACE}/drift/draft"), 409)["error"]["code"] == "no_drift"
    make_drift(environment)
    answer = told(ann.get(f"{PLACE}/drift/draft", {"way": "revert"}))
    assert "DROP COLUMN IF EXISTS note" in answer["up"]
    assert "ADD COLUMN IF NOT EXISTS note text" in answer["down"]


def test_while_a_run_is_open_reading_is_a_409(ann: Caller, environment: Environment) -> None:
    make_run(environment, environment.created_by)
    assert told(ann.post(f"{PLACE}/schema/read"), 409)["error"]["code"] == "run_in_progress"
    assert not SchemaState.objects.filter(read_at__isnull=False).exists()


def test_a_target_that_cannot_be_read_says_so_and_is_remembered(ann: Caller, environment: Environment) -> None:
    Environment.objects.update(dsn_reference="NOT_SET_ANYWHERE")
    assert ann.post(f"{PLACE}/schema/read").status_code in (409, 422)
    assert told(ann.get(f"{PLACE}/schema"))["standing"] == "unreadable"


def test_parity_groups_environments_and_names_what_differs(ann: Caller, environment: Environment) -> None:
    us = make_environment(environment.service, "orders-us", "prod", 2)
    ap = make_environment(environment.service, "orders-ap", "prod", 3)
    make_environment(environment.service, "orders-new", "prod", 4)
    make_reading(environment)
    make_reading(us)
    make_reading(ap, (TABLE, COLUMN, HASHED))
    answer = told(ann.get("/services/orders/schema"))
    assert [group["environments"] for group in answer["groups"]] == [["orders-eu", "orders-us"], ["orders-ap"]]
    assert [place["environment"] for place in answer["unknown"]] == ["orders-new"]
    assert (answer["same"], answer["differing"], answer["next"]) == (2, 1, None)
    variants = answer["objects"][0]["variants"]
    assert [variant["environments"] for variant in variants] == [["orders-eu", "orders-us"], ["orders-ap"]]
    assert told(ann.get("/services/orders/schema", {"postgresql": 12}), 422)["error"]["code"] == "no_such_server"
    assert ann.get("/services/orders/schema", {"after": "made-up"}).status_code == 400
