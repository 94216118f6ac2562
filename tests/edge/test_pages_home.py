"""The front page's sentence is true, and unknown is never shown as fine."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User

from migrations_app.fleet.overview import fleet_verdict
from migrations_app.fleet.standing import Standing, standings
from migrations_app.models import Environment
from migrations_app.permissions import OPERATOR
from tests.browser.client import heading, signed_in, text
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_run, make_service
from tests.edge.people import person

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FINE = Standing(
    service="orders",
    environment="prod-eu",
    stage="prod",
    region="eu",
    order=10,
    head="0002_b",
    receipts=2,
    behind=0,
    reachability="ok",
    reachability_note="",
    reconcile_note="",
    reconciled_at=NOW,
    checked_at=NOW,
    run_id=None,
    run_status="",
    run_to="",
)


def place(environment: str = "prod-eu", **fields: object) -> Standing:
    return dataclasses.replace(FINE, environment=environment, **fields)  # type: ignore[arg-type]


STAGING = place("staging-eu", stage="staging", order=1)
SENTENCES: list[tuple[list[Standing], str]] = [
    ([place()], "prod-eu is at the newest revision, and nothing is broken."),
    ([place(), STAGING], "All 2 environments are at the newest revision, and nothing is broken."),
    ([place(behind=1), STAGING], "Production is one revision behind staging, and nothing is broken."),
    ([place(behind=2), STAGING, place("prod-us")], "prod-eu is two revisions behind, and nothing is broken."),
    ([place(behind=1)], "prod-eu is one revision behind, and nothing is broken."),
    ([place(reconciled_at=None)], "What stands on every environment is unknown: not checked against the target yet."),
    ([place(behind=None), STAGING], "What stands on prod-eu is unknown: not checked against the target yet."),
    ([place(reachability="unreachable"), STAGING], "prod-eu cannot be reached, so what stands there is unknown."),
    ([place(reconcile_note="Receipt 2 differs."), STAGING], "Ledger and target disagree on prod-eu."),
    ([place(run_status="failed"), place("b", run_status="failed")], "The last run failed on prod-eu and b."),
    ([place(run_status="needs_operator"), place("b", run_status="failed")], "One run needs an operator: prod-eu."),
    (
        [place(run_status="running"), STAGING],
        "All 2 environments are at the newest revision, and one run is on the way.",
    ),
    ([], "No environment yet: Lockstep looks after no database."),
]


@pytest.mark.parametrize(("rows", "sentence"), SENTENCES, ids=[sentence[:40] for _, sentence in SENTENCES])
def test_it_tells_the_worst_true_thing(rows: list[Standing], sentence: str) -> None:
    told = fleet_verdict(rows, services=1).sentence
    assert told.lower() == sentence.lower()


def test_it_begins_with_the_first_steps_when_there_is_nothing() -> None:
    assert fleet_verdict([], services=0).sentence.startswith("No service yet")


def test_a_failed_run_outranks_everything_that_is_fine_about_an_environment() -> None:
    assert place(run_status="failed").state == "failed"
    assert place(run_status="succeeded").state == "in_step"
    assert place(behind=None).state == "unknown"


@pytest.fixture
def olga(db: None) -> User:
    return person("olga", OPERATOR)


def test_the_checklist_shows_what_is_done(olga: User) -> None:
    page = signed_in(olga).get("/")
    assert heading(page).startswith("No service yet")
    make_service(olga)
    assert "done: Add a service" in text(signed_in(olga).get("/"))


def test_it_lists_what_needs_a_person_and_what_runs(olga: User) -> None:
    service = make_service(olga)
    make_revision(service, 1)
    stuck = make_run(make_environment(service, "eu"), olga, status="needs_operator")
    moving = make_run(make_environment(service, "us", order=2), olga, status="running")
    page = signed_in(olga).get("/")
    assert heading(page) == "One run needs an operator: eu."
    assert f'aria-label="Decide, run {stuck.pk}"' in page.content.decode()
    assert f"Run {moving.pk} · Applying 0001_step on us: step 1 of 1." in text(page)


def test_a_failure_that_a_later_run_answered_needs_nobody(olga: User) -> None:
    service = make_service(olga)
    environment = make_environment(service)
    make_run(environment, olga, status="failed", error={"message": "It broke."})
    assert "It broke." in text(signed_in(olga).get("/"))
    make_run(environment, olga, status="succeeded")
    assert "It broke." not in text(signed_in(olga).get("/"))


def test_it_knows_the_distance_to_the_newest_revision(olga: User) -> None:
    service = make_service(olga)
    for position in (1, 2, 3):
        make_revision(service, position)
    environment = make_environment(service)
    make_receipt(environment, 1)
    Environment.objects.filter(pk=environment.pk).update(reachability="ok")
    (row,) = standings()
    assert (row.behind, row.state, row.words) == (2, "behind", "2 behind")
    assert heading(signed_in(olga).get("/")) == "orders-eu is two revisions behind, and nothing is broken."
    assert "1 receipt in 1 target" in text(signed_in(olga).get("/"))
