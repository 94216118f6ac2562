"""Environments at one revision have one schema, as far as they can be compared."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from migrations_app.models import Release
from tests.edge.releases import make_standing
from tests.edge.schemas import COLUMN, INDEX, NOTE, OWNER, TABLE, USUAL, make_reading
from tests.releases.gates.facts.conftest import Look

pytestmark = pytest.mark.django_db

ALIKE = ("pass", "Environments at the same revision have the same schema.")


def test_without_an_environment_it_does_not_apply(look: Look) -> None:
    assert look("schemas_alike") == ("not_applicable", "There is no environment yet.")


def test_the_same_schema_holds_whoever_owns_it(shop: Release, look: Look) -> None:
    make_reading(make_standing(shop.service, "dev-eu", 3))
    make_reading(make_standing(shop.service, "prod-eu", 3), (*USUAL, OWNER))
    assert look("schemas_alike") == ALIKE


def test_another_schema_at_another_revision_or_another_server_holds(shop: Release, look: Look) -> None:
    make_reading(make_standing(shop.service, "dev-eu", 4), (TABLE, COLUMN, NOTE, INDEX))
    make_reading(make_standing(shop.service, "prod-eu", 3))
    make_reading(make_standing(shop.service, "prod-us", 3), (TABLE, COLUMN), major=16)
    assert look("schemas_alike") == ALIKE


def test_two_schemas_at_one_revision_are_told_side_against_side(shop: Release, look: Look) -> None:
    for name in ("dev-eu", "prod-eu"):
        make_reading(make_standing(shop.service, name, 3))
    make_reading(make_standing(shop.service, "prod-us", 3), (TABLE, COLUMN, NOTE, INDEX))
    assert look("schemas_alike") == (
        "fail",
        "At 0003_step there are 2 schemas: dev-eu and prod-eu against prod-us.",
    )


def test_one_that_was_not_read_lately_is_not_called_alike(shop: Release, look: Look) -> None:
    make_reading(make_standing(shop.service, "dev-eu", 3))
    unread = make_standing(shop.service, "prod-eu", 3)
    assert look("schemas_alike") == ("missing", "The schema of prod-eu is unknown: never read.")
    make_reading(unread, read_at=timezone.now() - timedelta(hours=2))
    assert look("schemas_alike") == ("missing", "The schema of prod-eu is unknown: read too long ago.")
