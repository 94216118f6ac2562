"""`manage.py demo --practise`: what it says happened did happen, once, and it goes on after being killed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.admission.door import start_run
from migrations_app.jobs import apply
from migrations_app.management import demo_drill, demo_practice, demo_seed
from migrations_app.management.demo_fleet import Place
from migrations_app.models import AuditEntry, Drill, Environment, LedgerEntry, Rehearsal, SchemaDrift, Service
from migrations_app.models.drill import DrillResult, DrillStatus
from migrations_app.models.schema import DriftState
from migrations_app.releases.contracts import Fit, read_contracts
from migrations_app.statuses import RehearsalStatus
from tests.runs.test_demo_seed import SMALL, servers, users  # noqa: F401  fixtures

STAGING_EU = tuple(place for place in SMALL if place.name == "staging-eu")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("servers", "users")]


def seed(places: tuple[Place, ...]) -> None:
    demo_seed.seed(places, lambda line: None)


def practise() -> list[str]:
    said: list[str] = []
    demo_practice.practise(said.append)
    return said


def test_two_drills_are_held_and_the_target_stands_where_it_stood() -> None:
    seed(STAGING_EU)
    assert practise() == []
    second, first = Drill.objects.all()
    assert (first.result, second.result) == (DrillResult.WITH_INTERVENTIONS, DrillResult.PASSED)
    assert 'column "shipping_address" does not exist' in first.steps.get(number=1).output
    assert first.interventions.get().note
    assert (first.runbook_updated, first.follow_ups.count()) == (True, 1)
    assert second.recovery_ms is not None
    assert [check.passed for check in second.checks.all()] == [True, True, True]
    assert Environment.objects.get().head_revision == "0017_copy_shipping_addresses"
    # Each drill applied a revision and rolled it back.
    assert LedgerEntry.objects.filter(revision_id="0018_drop_shipping_address").count() == 4

    entries = AuditEntry.objects.count()
    assert practise() == []
    assert AuditEntry.objects.count() == entries

    Drill.objects.all().delete()
    run = start_run(environment=Environment.objects.get(), direction="up", by=User.objects.get(username="olga")).run
    apply.execute(run.pk)
    assert practise() == []
    assert not Drill.objects.exists(), "people moved the environment on"


def test_a_drill_that_was_left_in_the_middle_is_given_up_and_held_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    seed(STAGING_EU)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(demo_drill, "_write", killed)
        practise()
    assert Environment.objects.get().head_revision == "0018_drop_shipping_address"
    assert practise() == []
    assert [drill.status for drill in Drill.objects.order_by("pk")] == [
        DrillStatus.ABANDONED,
        DrillStatus.FINISHED,
        DrillStatus.FINISHED,
    ]


def test_a_rehearsal_is_asked_for_and_a_change_by_hand_is_found_once_each_and_releases_refuse() -> None:
    seed(tuple(place for place in SMALL if place.name in ("prod-us", "prod-ap")))
    assert practise() == []
    drift = SchemaDrift.objects.get()
    assert (drift.environment.name, drift.summary) == (
        "prod-us",
        "One object differs: index public.orders_status_placed_idx.",
    )
    SchemaDrift.objects.update(state=DriftState.ACCEPTED)
    assert practise() == []
    assert SchemaDrift.objects.count() == 1
    (rehearsal,) = Rehearsal.objects.all()
    assert (rehearsal.environment.name, rehearsal.direction) == ("prod-ap", "down")
    assert rehearsal.status == RehearsalStatus.QUEUED
    found = read_contracts(Service.objects.get())
    assert {row.release_id: [cell.fit for cell in row.cells] for row in found.rows} == {
        "4.6.2": [Fit.FITS, Fit.FITS],
        "4.7.0": [Fit.FITS, Fit.REFUSES],
        "4.8.0": [Fit.REFUSES, Fit.REFUSES],
    }
