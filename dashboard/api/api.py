"""`api`: every route of /api/v1, put together. `path("api/v1/", api.urls)` serves it."""

from __future__ import annotations

from dashboard.api import (
    audit,
    boot,
    contracts,
    cutovers,
    drill_remarks,
    drills,
    environments,
    evidence,
    failures,
    freezes,
    gate_catalogue,
    glass,
    history,
    matrix,
    parity,
    rehearsals,
    release_bundle,
    releases,
    revisions,
    rollback_plans,
    rollback_requests,
    run_actions,
    run_log,
    runs,
    schema,
    services,
    signatures,
    waivers,
)
from dashboard.api.body import StrictParser
from dashboard.api.edge import EdgeApi, known_query_only, signed_in_only
from dashboard.api.identity import WAYS
from migrations_app import __version__

api = EdgeApi(
    title="Lockstep",
    version=__version__,
    description="Watch and run PostgreSQL migrations: exactly once, in order, with the proof.",
    urls_namespace="api-v1",
    docs_url=None,
    docs_decorator=signed_in_only,
    auth=WAYS,
    parser=StrictParser(),
)
failures.register(api)
api.add_decorator(known_query_only)
for noun in (services, environments, schema, parity, revisions, matrix, contracts, history):
    api.add_router("/services", noun.router)
for noun in (runs, run_actions, run_log):
    api.add_router("/runs", noun.router)
api.add_router("/rehearsals", rehearsals.router)
for noun in (releases, evidence, signatures, release_bundle):
    api.add_router("/releases", noun.router)
for noun in (waivers, cutovers, glass):
    api.add_router("", noun.router)
api.add_router("/freezes", freezes.router)
api.add_router("/gate-catalogue", gate_catalogue.router)
api.add_router("/rollback-requests", rollback_requests.router)
for noun in (drills, drill_remarks):
    api.add_router("/drills", noun.router)
for noun in (rollback_plans, boot):
    api.add_router("", noun.router)
api.add_router("/audit", audit.router)
