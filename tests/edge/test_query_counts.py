"""How many queries each page takes, pinned in query_counts.json, and the same at two sizes of the fleet.

After a change on purpose: `LOCKSTEP_PIN=1 .venv/bin/python -m pytest tests/edge/test_query_counts.py`, then look at the
difference in review.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.pages import (
    audit,
    environments,
    history,
    home_view,
    matrix,
    matrix_contracts,
    matrix_schema,
    revisions,
    run_list,
)
from dashboard.pages.kept import Kept
from migrations_app.audit.record import record
from migrations_app.engine.sql.script import SPLITTER
from migrations_app.models import Cutover, Drill, EnvironmentRelease, LedgerEntry, Release, Run
from migrations_app.permissions import ADMIN, ON_CALL, OPERATOR, RELEASE_MANAGER
from migrations_app.releases.boot.attempts import Attempt, record_attempt
from migrations_app.releases.boot.known import Asked
from migrations_app.releases.boot.nodes import report_node
from migrations_app.runs.detail import told_key
from tests.browser.client import signed_in
from tests.edge.cutovers import make_cutover, make_freeze
from tests.edge.drills import held
from tests.edge.fleet import make_environment, make_log, make_receipt, make_revision, make_run, make_service
from tests.edge.people import person
from tests.edge.releases import make_release
from tests.edge.schemas import NOTE, TABLE, make_drift

pytestmark = pytest.mark.django_db

PINNED = Path(__file__).with_name("query_counts.json")
SCRIPT = {"steps": [], "settings": [], "atomic": False, "splitter": SPLITTER}
KEPT: tuple[Kept[Any], ...] = (
    home_view.KEPT, matrix.PAGES, run_list.PAGES, history.PAGES, revisions.PAGES, audit.WINDOWS, environments.LOOKED,
    matrix_schema.COMPARED, matrix_contracts.DRAWN,
)  # fmt: skip
PAGES = {
    "home": "/",
    "matrix": "/matrix",
    "matrix, all": "/matrix?mode=all",
    "history": "/history",
    "history, filtered": "/history?service=orders&revision=0001",
    "compare": "/history/compare?service=orders&a=place-1&b=place-2",
    "receipt": "/history/{receipt}",
    "runs": "/runs",
    "runs, failed": "/runs?view=failed",
    "run": "/runs/{run}",
    "run, refreshed": "/runs/{run}/live?told={told}",
    "run, refreshed after a change": "/runs/{run}/live",
    "log": "/runs/{run}/log",
    "rehearsals": "/rehearsals",
    "rehearsals, filtered": "/rehearsals?service=orders&scenario=schema",
    "drill": "/rehearsals/drills/{drill}",
    "stopwatch": "/rehearsals/drills/{drill}/stopwatch",
    "two drills": "/rehearsals/compare?a={drill}&b={earlier}",
    "services": "/services",
    "service": "/services/orders",
    "environment": "/services/orders/environments/place-1",
    "schema of an environment": "/services/orders/environments/place-1/schema",
    "nodes of an environment": "/services/orders/environments/place-1/nodes",
    "schemas of a service": "/matrix/schema",
    "contracts of a service": "/matrix/contracts",
    "releases": "/releases",
    "release": "/services/orders/releases/1.1",
    "cutover": "/cutovers/{cutover}",
    "freezes": "/freezes",
    "release, refreshed": "/services/orders/release-live/1.1",
    "places of a release": "/services/orders/release-places/1.1",
    "gates": "/gates",
    "revisions": "/services/orders/revisions",
    "revision": "/services/orders/revisions/0001_step",
    "audit": "/audit",
    "workers": "/workers",
    "tokens": "/tokens",
    "metrics": "/metrics",
}


@pytest.fixture
def olga() -> User:
    return person("olga", OPERATOR, ON_CALL, RELEASE_MANAGER, ADMIN)


def grow(olga: User, size: int) -> None:
    """`size` environments of one service with as many revisions, receipts, runs of each kind, lines, audit entries."""
    service = make_service(olga)
    for position in range(1, 3 * size + 1):
        make_revision(service, position, up_script=SCRIPT, schema_rev=f"sc-{position}")
        make_release(service, olga, f"1.{position}", f"sc-{position}")
    for number in range(1, size + 1):
        environment = make_environment(service, f"place-{number}", f"stage-{number % 3}", order=number)
        for seq in range(1, size + 1):
            make_receipt(environment, seq)
        make_drift(environment, (TABLE, *(replace(NOTE, name=f"public.orders.c{n}") for n in range(number))))
        for status in ("succeeded", "cancelled", "failed", "running")[: 1 + number % 4]:
            make_log(make_run(environment, olga, status=status), *(f"line {n}" for n in range(size)))
        held(environment, olga)
        report_node(environment=environment, asked=Asked(node="n1"))
        record_attempt(environment=environment, attempt=Attempt(boot="b1", outcome="allow"))
        record(actor=olga, action="test.grown", object=f"environment:{number}")
        EnvironmentRelease.objects.create(environment=environment, release=Release.objects.get(release_id="1.3"))
        make_freeze(olga, service, begins=number, ends=number + 1)
    make_cutover(Release.objects.get(release_id="1.3"), olga, person("second"), status="halted")


def counts(olga: User) -> dict[str, int]:
    client = signed_in(olga)
    run = Run.objects.order_by("pk")[0]
    drills = Drill.objects.order_by("-pk")
    words: dict[str, object] = {
        "receipt": LedgerEntry.objects.order_by("pk")[0].pk,
        "run": run.pk,
        "told": told_key(run),
    }
    words["cutover"] = Cutover.objects.get().pk
    words |= {"drill": drills[0].uid, "earlier": drills[1].uid}
    found = {}
    for name, address in PAGES.items():
        path = address.format_map(words)
        assert client.get(path).status_code == 200, path
        for kept in KEPT:
            kept.clear()
        with CaptureQueriesContext(connection) as asked:
            client.get(path)
        found[name] = len(asked)
    return found


def test_each_page_takes_the_queries_that_are_pinned(olga: User) -> None:
    grow(olga, 4)
    found = counts(olga)
    if os.environ.get("LOCKSTEP_PIN"):
        PINNED.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    assert found == json.loads(PINNED.read_text(encoding="utf-8"))


def test_a_larger_fleet_takes_no_more(olga: User) -> None:
    grow(olga, 12)
    assert counts(olga) == json.loads(PINNED.read_text(encoding="utf-8"))
