"""No target differs from its receipts; what nobody knows is not called fine."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from migrations_app.models import Release, SchemaState
from migrations_app.models.schema import DriftState, Known
from tests.edge.releases import make_standing
from tests.edge.schemas import make_drift, make_reading
from tests.releases.gates.facts.conftest import Look

pytestmark = pytest.mark.django_db


def test_without_an_environment_it_does_not_apply(look: Look) -> None:
    assert look("no_drift") == ("not_applicable", "There is no environment yet.")


def test_targets_as_their_receipts_left_them_hold(shop: Release, look: Look) -> None:
    for name in ("dev-eu", "prod-eu"):
        make_reading(make_standing(shop.service, name, 3))
    assert look("no_drift") == ("pass", "dev-eu, prod-eu: as their receipts left them.")


def test_one_that_was_only_first_read_holds_and_is_told_as_that(shop: Release, look: Look) -> None:
    make_reading(make_standing(shop.service, "dev-eu", 3))
    make_reading(make_standing(shop.service, "prod-eu", 3))
    SchemaState.objects.filter(environment__name="prod-eu").update(expected_by=Known.READING)
    assert look("no_drift") == (
        "pass",
        "dev-eu: as their receipts left them. prod-eu: as first read, for no receipt says how they have to be.",
    )


def test_a_drift_that_is_over_holds(shop: Release, look: Look) -> None:
    environment = make_standing(shop.service, "dev-eu", 3)
    make_drift(environment, state=DriftState.GONE)
    make_reading(environment)
    assert look("no_drift")[0] == "pass"


@pytest.mark.parametrize("state", [DriftState.OPEN, DriftState.IGNORED, DriftState.ADOPTING, DriftState.REVERTING])
def test_a_drift_fails_also_where_it_is_ignored_or_planned_for(shop: Release, look: Look, state: DriftState) -> None:
    make_drift(make_standing(shop.service, "dev-eu", 3), state=state, ignore_until=timezone.now() + timedelta(days=1))
    found, sentence = look("no_drift")
    assert found == "fail"
    assert sentence.startswith("dev-eu: The schema is not as its receipts left it")
    assert "2 objects differ" in sentence


def test_the_others_that_drifted_are_counted(shop: Release, look: Look) -> None:
    for name in ("dev-eu", "prod-eu", "prod-us"):
        make_drift(make_standing(shop.service, name, 3))
    assert look("no_drift")[1].endswith("So do 2 more.")


def test_half_a_revision_fails(shop: Release, look: Look) -> None:
    make_reading(make_standing(shop.service, "dev-eu", 3))
    SchemaState.objects.update(half_done="0004_step")
    assert look("no_drift") == (
        "fail",
        "dev-eu: A revision is applied in part; its schema is judged once it is finished. "
        "Some steps of 0004_step are done, and it has no receipt.",
    )


def test_one_that_is_unknown_is_missing(shop: Release, look: Look) -> None:
    environment = make_standing(shop.service, "dev-eu", 3)
    assert look("no_drift") == (
        "missing",
        "dev-eu: How the schema stands is unknown: nobody has read it yet.",
    )
    make_reading(environment, failure="connection refused")
    assert look("no_drift")[0] == "missing"
    make_reading(environment, read_at=timezone.now() - timedelta(hours=2))
    assert look("no_drift") == (
        "missing",
        "dev-eu: How the schema stands is unknown: it was read too long ago.",
    )
