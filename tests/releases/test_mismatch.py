"""Which release runs where, and where what runs refuses the schema that stands there."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migrations_app.models import EnvironmentRelease
from migrations_app.releases.mismatch import mismatches, running_where
from tests.edge.fleet import make_service
from tests.edge.people import person
from tests.edge.releases import make_chain, make_release, make_standing

pytestmark = pytest.mark.django_db


def test_it_finds_what_refuses_the_schema_that_stands_there() -> None:
    olga = person("olga", "operator")
    service, other = make_service(olga), make_service(olga, "shop")
    for one in (service, other):
        make_chain(one)
        release = make_release(one, olga, "2.0", "sc-10")
        for name, revisions in (("behind", 1), ("fits", 3), ("past", 5)):
            place = make_standing(one, f"{one.name}-{name}", revisions)
            EnvironmentRelease.objects.create(environment=place, release=release)
        make_standing(one, f"{one.name}-idle", 1)
    with CaptureQueriesContext(connection) as asked:
        found = running_where()
    assert len(asked) == 1 + 2 * 2
    assert [one.environment for one in found[:3]] == ["orders-past", "orders-fits", "orders-behind"]
    assert [one.schema_rev for one in found[:3]] == ["sc-11", "sc-10", "sc-9"]
    assert [one.environment for one in mismatches("shop")] == ["shop-past", "shop-behind"]
    assert len(mismatches()) == 4
    assert mismatches("shop")[0].sentence == (
        "shop-past of shop runs 2.0, which refuses its schema. "
        "Takes sc-10 at most, stands at sc-11: one revision past its window."
    )


def test_what_cannot_be_told_is_no_mismatch() -> None:
    olga = person("olga", "operator")
    service = make_service(olga)
    make_chain(service)
    place = make_standing(service, "away", 1, reachability="unreachable")
    EnvironmentRelease.objects.create(environment=place, release=make_release(service, olga, "2.0", "sc-10"))
    assert [one.cell.fit for one in running_where()] == ["unknown"]
    assert mismatches() == []


def test_where_nothing_is_known_to_run_there_is_nothing_to_ask() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert running_where() == ()
    assert len(asked) == 1
