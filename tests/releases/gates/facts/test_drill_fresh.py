"""People have practised rolling production back, with success and not long ago."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from migrations_app.models import Environment, Release
from migrations_app.releases.gates import facts
from tests.edge.drills import held, press, ready
from tests.edge.fleet import make_environment, make_service
from tests.releases.gates.facts.conftest import Look

pytestmark = pytest.mark.django_db


@pytest.fixture
def prod(shop: Release) -> Environment:
    make_environment(shop.service, "orders-dev", stage="dev", order=0)
    return make_environment(shop.service, "orders-eu")


def ago(**time: int) -> dict[str, object]:
    return {"ended": timezone.now() - timedelta(**time)}


def test_without_an_environment_it_does_not_apply(look: Look) -> None:
    assert look("drill_fresh") == ("not_applicable", "There is no environment yet.")


@pytest.mark.parametrize("result", ["passed", "with_interventions"])
def test_a_success_of_late_holds(prod: Environment, look: Look, olga: User, result: str) -> None:
    held(prod, olga, result=result, **ago(days=13))  # type: ignore[arg-type]
    assert look("drill_fresh") == ("pass", "A rollback of orders-eu was last practised with success 13 d ago.")


def test_one_production_environment_is_enough(shop: Release, prod: Environment, look: Look, olga: User) -> None:
    held(prod, olga, **ago(days=20))  # type: ignore[arg-type]
    held(make_environment(shop.service, "orders-us"), olga, **ago(days=2))  # type: ignore[arg-type]
    assert look("drill_fresh") == ("pass", "A rollback of orders-us was last practised with success 2 d ago.")


def test_a_success_of_long_ago_does_not_hold(prod: Environment, look: Look, olga: User) -> None:
    held(prod, olga, **ago(days=15))  # type: ignore[arg-type]
    assert look("drill_fresh") == (
        "missing",
        "A rollback of orders-eu was last practised with success 15 d ago; the limit is 14 days.",
    )


def test_what_failed_is_not_finished_or_is_elsewhere_does_not_hold(
    shop: Release, prod: Environment, look: Look, olga: User
) -> None:
    held(prod, olga, result="failed")
    held(Environment.objects.get(name="orders-dev"), olga)
    held(make_environment(make_service(olga, "basket"), "basket-eu"), olga)
    press(ready(prod, olga), olga, 2)
    assert look("drill_fresh") == (
        "missing",
        "Nobody has practised a rollback of orders-eu with success yet.",
    )


def test_another_success_is_the_same_evidence(shop: Release, prod: Environment, olga: User) -> None:
    held(prod, olga, **ago(days=9))  # type: ignore[arg-type]
    first = facts.look("drill_fresh", shop, {})
    held(prod, olga)
    assert facts.look("drill_fresh", shop, {}).identity == first.identity
