"""The OpenAPI document is true: every operation is in it, and answers have the shape it promises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from migrations_app.permissions import VIEWER
from tests.edge.caller import Caller, read
from tests.edge.people import person

pytestmark = pytest.mark.django_db

PROMISED = {
    ("post", "/services"),
    ("post", "/services/{service}/environments"),
    ("patch", "/services/{service}/environments/{environment}"),
    ("post", "/services/{service}/environments/{environment}/accept-target"),
    ("get", "/services/{service}/environments/{environment}/schema"),
    ("post", "/services/{service}/environments/{environment}/schema/read"),
    ("post", "/services/{service}/environments/{environment}/drift/ignore"),
    ("post", "/services/{service}/environments/{environment}/drift/accept"),
    ("get", "/services/{service}/environments/{environment}/drift/draft"),
    ("post", "/services/{service}/environments/{environment}/drift/plan"),
    ("get", "/services/{service}/environments/{environment}/rollback"),
    ("get", "/services/{service}/schema"),
    ("put", "/services/{service}/revisions/{revision_id}"),
    ("get", "/services/{service}/matrix"),
    ("get", "/services/{service}/contracts"),
    ("get", "/services/{service}/history"),
    ("get", "/releases"),
    ("post", "/releases"),
    ("get", "/releases/{release_number}"),
    ("get", "/releases/{release_number}/rollback"),
    ("get", "/releases/{release_number}/bundle"),
    ("get", "/releases/{release_number}/evidence"),
    ("post", "/releases/{release_number}/evidence"),
    ("get", "/releases/{release_number}/evidence/{evidence_number}/artefact"),
    ("post", "/releases/{release_number}/gates/{gate}/signoff"),
    ("post", "/releases/{release_number}/signatures/{signature_number}/withdraw"),
    ("get", "/releases/{release_number}/waivers"),
    ("post", "/releases/{release_number}/waivers"),
    ("post", "/waivers/{waiver_number}/approve"),
    ("post", "/waivers/{waiver_number}/decline"),
    ("post", "/waivers/{waiver_number}/withdraw"),
    ("post", "/waivers/{waiver_number}/revoke"),
    ("get", "/gate-catalogue"),
    ("put", "/gate-catalogue"),
    ("get", "/gate-catalogue/versions"),
    ("post", "/runs"),
    ("get", "/runs/{run_id}"),
    ("get", "/runs/{run_id}/log"),
    ("get", "/runs/{run_id}/rollback"),
    ("post", "/runs/{run_id}/rollback"),
    ("post", "/runs/{run_id}/cancel"),
    ("post", "/runs/{run_id}/pause"),
    ("post", "/runs/{run_id}/resume"),
    ("post", "/runs/{run_id}/resolve"),
    ("post", "/rehearsals"),
    ("get", "/rehearsals/{rehearsal_id}"),
    ("get", "/rehearsals/{rehearsal_id}/revisions/{revision_id}/traces"),
    ("post", "/rehearsals/{rehearsal_id}/cancel"),
    ("post", "/rollback-requests"),
    ("get", "/rollback-requests/{request_id}"),
    ("post", "/rollback-requests/{request_id}/grant"),
    ("post", "/rollback-requests/{request_id}/decline"),
    ("get", "/boot-gate"),
    ("get", "/nodes"),
    ("post", "/nodes"),
    ("post", "/nodes/{service}/{environment}/{node}/retire"),
    ("get", "/boot-attempts"),
    ("post", "/boot-attempts"),
    ("get", "/drills"),
    ("post", "/drills"),
    ("get", "/drills/{uid}"),
    ("post", "/drills/{uid}/next"),
    ("post", "/drills/{uid}/interventions"),
    ("post", "/drills/{uid}/checks"),
    ("post", "/drills/{uid}/finish"),
    ("post", "/drills/{uid}/abandon"),
}

# The gate's refusals are its answers: no envelope, but every reason.
OWN_REFUSALS = {"ask_boot_gate": {"409": "NotAllowedOut", "503": "NotAllowedOut"}}


@pytest.fixture(scope="module")
def document(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[str, Any]:
    """Made once, for it takes a second; who asked for it is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        told: dict[str, Any] = read(Caller(person("vic", VIEWER)).get("/openapi.json"))
        transaction.set_rollback(True)
    return told


def test_it_names_every_promised_operation(document: dict[str, Any]) -> None:
    found = {
        (method, path.removeprefix("/api/v1"))
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert found >= PROMISED


def test_it_tells_how_to_call(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {"type": "http", "scheme": "bearer"} in [
        {key: scheme[key] for key in ("type", "scheme") if key in scheme} for scheme in schemes.values()
    ]
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["security"]
            assert operation["operationId"]


def test_it_promises_the_envelope_for_every_refusal(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            refusals = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
            assert {"400", "401", "403", "404", "405", "422"} <= set(refusals)
            own = OWN_REFUSALS.get(operation["operationId"], {})
            for status, answer in refusals.items():
                shape = own.get(status, "ErrorOut")
                assert answer["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{shape}"}


def test_it_refuses_unknown_fields_in_every_body(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            body = operation.get("requestBody")
            if body is not None:
                name = json.dumps(body["content"]["application/json"]["schema"]).split("/")[-1].split('"')[0]
                assert schemas[name]["additionalProperties"] is False, name


def test_it_has_one_name_per_operation(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operations in document["paths"].values() for operation in operations.values()]
    assert len(names) == len(set(names))
