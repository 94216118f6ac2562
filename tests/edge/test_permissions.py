"""Every operation of the API × eight identities: who gets in is written down here, and nowhere else in the tests.

An operation without a row fails, and so does a row without an operation.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from dashboard.api.api import api
from migrations_app.models import AuditEntry, BreakGlass, Drill, Freeze, GateEvidence, GateSignature, GateWaiver, Run
from migrations_app.permissions import ROLES
from migrations_app.releases.boot.known import Asked
from migrations_app.releases.boot.nodes import report_node
from tests.edge.caller import Caller
from tests.edge.cutovers import make_cutover, make_freeze
from tests.edge.drills import held
from tests.edge.fleet import make_environment, make_log, make_receipt, make_revision, make_run, make_service
from tests.edge.gates import make_hanging
from tests.edge.people import each_identity, identity, person
from tests.edge.rehearsals import make_consent, make_rehearsed
from tests.edge.releases import make_release
from tests.edge.schemas import make_drift
from tests.edge.test_query_counts import SCRIPT

pytestmark = pytest.mark.django_db

ALL = frozenset(ROLES)
NOT_VIEWERS = ALL - {"viewer"}
HANDS = frozenset({"operator", "on-call", "release-manager"})
DECIDERS = frozenset({"on-call", "release-manager"})
UPLOADERS = frozenset({"operator", "release-manager", "admin"})
ADMIN = frozenset({"admin"})
MANAGERS = frozenset({"release-manager", "admin"})
WAIVERS = frozenset({"release-manager"})

# operation: who may, and a body that is good enough to reach the permission check
TABLE: dict[tuple[str, str], tuple[frozenset[str], object]] = {
    ("GET", "/openapi.json"): (ALL, None),
    ("GET", "/services"): (ALL, None),
    ("POST", "/services"): (ADMIN, {"name": "new"}),
    ("GET", "/services/{service}"): (ALL, None),
    ("GET", "/services/{service}/environments"): (ALL, None),
    ("POST", "/services/{service}/environments"): (ADMIN, {"name": "new", "stage": "dev", "dsn": "env:NOT_SET"}),
    ("GET", "/services/{service}/environments/{environment}"): (ALL, None),
    ("PATCH", "/services/{service}/environments/{environment}"): (ADMIN, {"order": 2}),
    ("GET", "/services/{service}/environments/{environment}/rollback"): (ALL, None),
    ("POST", "/services/{service}/environments/{environment}/prove"): (ADMIN, None),
    ("PUT", "/services/{service}/environments/{environment}/backup"): (ADMIN, {"dsn": "env:NOT_SET"}),
    ("DELETE", "/services/{service}/environments/{environment}/backup"): (ADMIN, None),
    ("POST", "/services/{service}/environments/{environment}/accept-target"): (ADMIN, {"reason": "ten characters"}),
    ("GET", "/services/{service}/environments/{environment}/schema"): (ALL, None),
    ("POST", "/services/{service}/environments/{environment}/schema/read"): (HANDS | ADMIN, None),
    ("POST", "/services/{service}/environments/{environment}/schema/watch"): (ADMIN, {"on": True}),
    ("POST", "/services/{service}/environments/{environment}/drift/ignore"): (
        MANAGERS,
        {"until": "2000-01-01T00:00:00Z", "reason": "ten characters"},
    ),
    ("POST", "/services/{service}/environments/{environment}/drift/accept"): (
        MANAGERS,
        {"found": "x", "reason": "ten characters"},
    ),
    ("POST", "/services/{service}/environments/{environment}/drift/plan"): (
        MANAGERS,
        {"way": "adopt", "found": "x", "revision_id": "0002_adopt", "up": "SELECT 1;"},
    ),
    ("PUT", "/services/{service}/environments/{environment}/drift/policy"): (MANAGERS, {"blocks": True}),
    ("GET", "/services/{service}/environments/{environment}/drift/draft"): (NOT_VIEWERS, None),
    ("GET", "/services/{service}/schema"): (ALL, None),
    ("GET", "/services/{service}/revisions"): (ALL, None),
    ("GET", "/services/{service}/revisions/{revision_id}"): (NOT_VIEWERS, None),
    ("PUT", "/services/{service}/revisions/{revision_id}"): (UPLOADERS, {"up": "SELECT 1;"}),
    ("GET", "/services/{service}/matrix"): (ALL, None),
    ("GET", "/services/{service}/contracts"): (ALL, None),
    ("GET", "/services/{service}/history"): (ALL, None),
    ("GET", "/releases"): (ALL, None),
    ("POST", "/releases"): (UPLOADERS, {"service": "orders", "release_id": "2.0", "schema_rev": "sc-1"}),
    ("GET", "/releases/{int:release_number}"): (ALL, None),
    ("GET", "/releases/{int:release_number}/rollback"): (ALL, None),
    ("GET", "/releases/{int:release_number}/bundle"): (HANDS | {"auditor"}, None),
    ("GET", "/releases/{int:release_number}/evidence"): (ALL, None),
    ("POST", "/releases/{int:release_number}/evidence"): (
        HANDS,
        {"gate": "frontend-build", "check": "build", "status": "pass", "summary": "it builds"},
    ),
    ("POST", "/releases/{int:release_number}/looks"): (HANDS, {"gate": "frontend-build", "check": "build"}),
    ("GET", "/releases/{int:release_number}/evidence/{int:evidence_number}/artefact"): (ALL, None),
    ("POST", "/releases/{int:release_number}/gates/{str:gate}/signoff"): (HANDS, {"evidence_hash": "0" * 64}),
    ("POST", "/releases/{int:release_number}/signatures/{int:signature_number}/withdraw"): (
        HANDS,
        {"reason": "ten characters"},
    ),
    ("GET", "/releases/{int:release_number}/waivers"): (ALL, None),
    ("POST", "/releases/{int:release_number}/waivers"): (
        HANDS,
        {"gate": "frontend-build", "check": "build", "reason": "ten characters", "hours": 1},
    ),
    ("POST", "/waivers/{int:waiver_number}/approve"): (WAIVERS, None),
    ("POST", "/waivers/{int:waiver_number}/decline"): (WAIVERS, {"reason": "ten characters"}),
    ("POST", "/waivers/{int:waiver_number}/revoke"): (WAIVERS, {"reason": "ten characters"}),
    ("POST", "/waivers/{int:waiver_number}/withdraw"): (HANDS, {"reason": "ten characters"}),
    ("GET", "/releases/{int:release_number}/cutover-plan"): (ALL, None),
    ("POST", "/releases/{int:release_number}/cutovers"): (UPLOADERS - ADMIN, {}),
    ("GET", "/cutovers"): (ALL, None),
    ("GET", "/cutovers/{int:cutover_number}"): (ALL, None),
    # Past broken glass: with every gate passed it is for who cuts over.
    ("POST", "/cutovers/{int:cutover_number}/go-on"): (DECIDERS, None),
    ("POST", "/cutovers/{int:cutover_number}/give-up"): (UPLOADERS - ADMIN, {"reason": "ten characters"}),
    ("POST", "/cutovers/{int:cutover_number}/take-back"): (DECIDERS, {"reason": "ten characters"}),
    ("POST", "/releases/{int:release_number}/glass"): (DECIDERS, {"typed": "1.0", "reason": "ten characters"}),
    ("GET", "/glass/{int:glass_number}"): (ALL, None),
    ("POST", "/glass/{int:glass_number}/break"): (DECIDERS, {"reason": "ten characters"}),
    ("POST", "/glass/{int:glass_number}/decline"): (DECIDERS, {"reason": "ten characters"}),
    ("GET", "/freezes"): (ALL, None),
    ("POST", "/freezes"): (
        MANAGERS,
        {"starts_at": "2000-01-01T00:00:00Z", "ends_at": "2000-01-02T00:00:00Z", "reason": "ten characters"},
    ),
    ("POST", "/freezes/{int:freeze_number}/lift"): (MANAGERS, {"reason": "ten characters"}),
    ("GET", "/gate-catalogue"): (ALL, None),
    ("PUT", "/gate-catalogue"): (ADMIN, {"content": {}, "note": "ten characters", "version": 1}),
    ("GET", "/gate-catalogue/versions"): (ALL, None),
    ("GET", "/runs"): (ALL, None),
    ("POST", "/runs"): (HANDS, {"service": "orders", "environment": "orders-eu", "direction": "up"}),
    ("GET", "/runs/{int:run_id}"): (ALL, None),
    ("GET", "/runs/{int:run_id}/log"): (NOT_VIEWERS, None),
    ("GET", "/runs/{int:run_id}/rollback"): (ALL, None),
    ("POST", "/runs/{int:run_id}/rollback"): (HANDS, None),
    ("POST", "/runs/{int:run_id}/cancel"): (HANDS, None),
    ("POST", "/runs/{int:run_id}/pause"): (HANDS, None),
    ("POST", "/runs/{int:run_id}/resume"): (HANDS, None),
    ("POST", "/runs/{int:run_id}/resolve"): (DECIDERS, {"verdict": "abandon", "reason": "ten characters"}),
    ("GET", "/rehearsals"): (ALL, None),
    ("POST", "/rehearsals"): (HANDS, {"service": "orders", "environment": "orders-eu"}),
    ("GET", "/rehearsals/{int:rehearsal_id}"): (ALL, None),
    ("GET", "/rehearsals/{int:rehearsal_id}/revisions/{str:revision_id}/traces"): (NOT_VIEWERS, None),
    ("GET", "/rehearsals/{int:rehearsal_id}/log"): (NOT_VIEWERS, None),
    ("POST", "/rehearsals/{int:rehearsal_id}/cancel"): (HANDS, None),
    ("POST", "/rollback-requests"): (
        HANDS,
        {"service": "orders", "environment": "orders-eu", "typed": "orders-eu", "reason": "ten characters"},
    ),
    ("GET", "/rollback-requests/{int:request_id}"): (ALL, None),
    ("POST", "/rollback-requests/{int:request_id}/grant"): (DECIDERS, None),
    ("POST", "/rollback-requests/{int:request_id}/decline"): (DECIDERS, None),
    ("GET", "/audit"): (NOT_VIEWERS, None),
    ("GET", "/boot-gate"): (ALL, None),
    ("GET", "/nodes"): (ALL, None),
    ("POST", "/nodes"): (ALL, {"service": "orders", "environment": "orders-eu", "node": "n1"}),
    ("POST", "/nodes/{service}/{environment}/{node}/retire"): (ALL, None),
    ("GET", "/boot-attempts"): (ALL, None),
    ("POST", "/boot-attempts"): (
        ALL,
        {"service": "orders", "environment": "orders-eu", "boot": "b1", "outcome": "allow"},
    ),
    ("GET", "/drills"): (ALL, None),
    ("POST", "/drills"): (
        HANDS,
        {"service": "orders", "environment": "orders-us", "scenario": "data", "trigger_reason": "practice"},
    ),
    ("GET", "/drills/{uuidstr:uid}"): (ALL, None),
    ("POST", "/drills/{uuidstr:uid}/next"): (HANDS, {"lap": 0}),
    ("POST", "/drills/{uuidstr:uid}/interventions"): (HANDS, {"seconds": 5, "what": "restarted it"}),
    ("POST", "/drills/{uuidstr:uid}/checks"): (HANDS, {"side": "after", "kind": "smoke", "name": "the first page"}),
    ("POST", "/drills/{uuidstr:uid}/health"): (HANDS, {"side": "after"}),
    ("PUT", "/drills/{uuidstr:uid}/steps/{int:number}"): (HANDS, {"output": "done"}),
    ("POST", "/drills/{uuidstr:uid}/follow-ups"): (HANDS, {"what": "shorten it", "owner": "ann"}),
    ("POST", "/drills/{uuidstr:uid}/follow-ups/{int:number}/done"): (HANDS, None),
    ("POST", "/drills/{uuidstr:uid}/runbook"): (HANDS, {"link": "https://wiki.example.com/1"}),
    ("POST", "/drills/{uuidstr:uid}/finish"): (HANDS, {}),
    ("POST", "/drills/{uuidstr:uid}/abandon"): (HANDS, {"reason": "called away"}),
}

# What an operation that only reads has to be asked with; the same path may also take a body.
PLACE = "?service=orders&environment=orders-eu"
QUERIES = {"/boot-gate": f"{PLACE}&schema_rev=sc-1", "/nodes": PLACE, "/boot-attempts": PLACE}


def operations() -> set[tuple[str, str]]:
    """Every method and path that the router serves."""
    found = {("GET", "/openapi.json")}
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                full = f"{bound.prefix}/{path}".replace("//", "/").rstrip("/")
                found |= {(method, full if full.startswith("/") else f"/{full}") for method in operation.methods}
    return found


@pytest.fixture
def run() -> Run:
    owner = person("owner")
    service = make_service(owner)
    revision = make_revision(service, 1, schema_rev="sc-1", up_script=SCRIPT)
    make_hanging(make_release(service, owner, "1.0", "sc-1"), owner)
    environment = make_environment(service)
    make_cutover(service.releases.get(), owner, person("second"), status="done")
    make_freeze(owner)
    make_receipt(environment, 1)
    run = make_run(environment, owner)
    make_log(run, "one")
    make_consent(environment, owner)
    make_rehearsed(environment, owner, [revision])
    make_drift(environment)
    make_environment(service, "orders-us", order=2)
    held(environment, owner)
    report_node(environment=environment, asked=Asked(node="n1"))
    return run


def test_every_operation_has_a_row() -> None:
    assert operations() == set(TABLE)


def address(path: str, run: Run) -> str:
    names = {
        "{service}": "orders", "{environment}": "orders-eu", "{revision_id}": "0001_step",
        "{str:revision_id}": "0001_step", "{int:run_id}": str(run.pk),
        "{int:rehearsal_id}": str(run.environment.rehearsals.get().pk),
        "{int:release_number}": str(run.service.releases.get(release_id="1.0").pk),
        "{int:evidence_number}": str(GateEvidence.objects.earliest("pk").pk), "{str:gate}": "frontend-build",
        "{int:signature_number}": str(GateSignature.objects.earliest("pk").pk),
        "{int:waiver_number}": str(GateWaiver.objects.earliest("pk").pk),
        "{int:cutover_number}": str(run.service.cutovers.get().pk),
        "{int:glass_number}": str(BreakGlass.objects.earliest("pk").pk),
        "{int:freeze_number}": str(Freeze.objects.earliest("pk").pk),
        "{int:request_id}": str(run.environment.consents.get().pk),
        "{uuidstr:uid}": str(Drill.objects.earliest("pk").uid), "{int:number}": "1",
        "{node}": "n1",
    }  # fmt: skip
    for name, value in names.items():
        path = path.replace(name, value)
    return path + QUERIES.get(path, "")


@pytest.mark.parametrize(
    ("operation", "row"), TABLE.items(), ids=lambda value: " ".join(value) if isinstance(value[0], str) else ""
)
def test_it_lets_in_whom_the_table_names(
    run: Run, operation: tuple[str, str], row: tuple[frozenset[str], object]
) -> None:
    method, path = operation
    allowed, body = row
    at = address(path, run)
    for who in each_identity():
        _lets_in(who, method, at, allowed, body)


def _lets_in(who: str, method: str, at: str, allowed: frozenset[str], body: object) -> None:
    caller = _caller(who)
    before = AuditEntry.objects.count()
    response = caller.send(method.lower(), at, body)
    expected = {"anonymous": 401, "disabled": 401}.get(who, 0 if who in allowed else 403)
    if expected:
        assert response.status_code == expected, (who, response.content)
        denied = json.loads(response.content)
        assert denied["error"]["code"] == {401: "UNAUTHORIZED", 403: "FORBIDDEN"}[expected]
    else:
        # Let in: done, or refused for another reason than who asks.
        assert response.status_code not in (401, 403, 404, 405, 500), (who, response.content)
    if expected == 403:
        entry = AuditEntry.objects.first()
        assert entry is not None
        assert (entry.data["action"], entry.data["actor"]) == ("denied", who)
        assert AuditEntry.objects.count() == before + 1
        assert all(role in denied["error"]["message"] for role in allowed)


def _caller(who: str) -> Caller:
    user = identity(who)
    if user is None:
        return Caller()
    active = user.is_active
    User.objects.filter(pk=user.pk).update(is_active=True)
    caller = Caller(user)
    User.objects.filter(pk=user.pk).update(is_active=active)
    return caller


@pytest.mark.parametrize("who", ["anonymous", "disabled", "viewer", "auditor"])
def test_a_refused_request_changes_nothing(run: Run, who: str) -> None:
    caller = _caller(who)
    before = _digest()
    for (method, path), (allowed, body) in TABLE.items():
        if who not in allowed:
            caller.send(method.lower(), address(path, run), body)
    assert _digest() == before


def test_a_get_changes_nothing(run: Run) -> None:
    caller = _caller("release-manager")
    caller.get("/services")
    before, entries = _digest(), AuditEntry.objects.count()
    for method, path in TABLE:
        # That a bundle was taken is told in the audit log.
        if method == "GET" and not path.endswith("/bundle"):
            told = 409 if path == "/boot-gate" else 200  # a run is open
            assert caller.get(address(path, run)).status_code == told
    assert (_digest(), AuditEntry.objects.count()) == (before, entries)


def _digest() -> list[Any]:
    """Everything a request could change, apart from the audit log."""
    from django.apps import apps

    models = [m for m in apps.get_app_config("migrations_app").get_models() if m is not AuditEntry]
    return [(m.__name__, list(m._default_manager.order_by("pk").values())) for m in models if m.__name__ != "ApiToken"]
