"""Every environment stands at the release's revision, or above."""

from __future__ import annotations

import pytest

from migrations_app.models import Environment, Release, Revision
from migrations_app.releases.gates import facts
from migrations_app.releases.gates.kinds import fact
from tests.edge.releases import make_standing
from tests.releases.gates.facts.conftest import Look

pytestmark = pytest.mark.django_db


def test_without_an_environment_it_does_not_apply(look: Look) -> None:
    assert look("revisions_applied") == ("not_applicable", "There is no environment yet.")


def test_at_the_revision_or_above_it_holds(shop: Release, look: Look) -> None:
    make_standing(shop.service, "dev-eu", 3)
    make_standing(shop.service, "prod-eu", 5)
    assert look("revisions_applied") == ("pass", "0003_step is applied in dev-eu, prod-eu.")


def test_those_below_are_named(shop: Release, look: Look) -> None:
    for name, revisions in (("dev-eu", 3), ("prod-eu", 2), ("prod-us", 0)):
        make_standing(shop.service, name, revisions)
    assert look("revisions_applied") == ("fail", "0003_step is not applied in prod-eu, prod-us.")


def test_a_stage_is_looked_at_alone(shop: Release, look: Look) -> None:
    make_standing(shop.service, "dev-eu", 3, stage="dev")
    make_standing(shop.service, "prod-eu", 2)
    assert look("revisions_applied", stage="dev") == ("pass", "0003_step is applied in dev-eu.")
    assert look("revisions_applied", stage="prod")[0] == "fail"


def test_a_stage_that_is_not_there_is_not_green(shop: Release, look: Look) -> None:
    make_standing(shop.service, "dev-eu", 3)
    assert look("revisions_applied", stage="prdo") == ("missing", "There is no environment of the stage prdo.")


def test_a_revision_that_left_the_chain_is_applied_nowhere(shop: Release, look: Look) -> None:
    make_standing(shop.service, "dev-eu", 3)
    Revision.objects.filter(revision_id="0003_step").update(revision_id="0003_other")
    assert look("revisions_applied") == ("fail", "0003_step is not in the chain any more.")


def test_an_environment_at_a_revision_that_nobody_knows_is_below(shop: Release, look: Look) -> None:
    make_standing(shop.service, "dev-eu", 3)
    Environment.objects.update(head_revision="9999_elsewhere")
    assert look("revisions_applied")[0] == "fail"


def test_what_is_signed_stays_while_it_holds(shop: Release) -> None:
    make_standing(shop.service, "dev-eu", 3)
    first = facts.look("revisions_applied", shop, {})
    Environment.objects.update(head_revision="0004_step")
    assert facts.look("revisions_applied", shop, {}).identity == first.identity
    Environment.objects.update(head_revision="0002_step")
    assert facts.look("revisions_applied", shop, {}).identity != first.identity


def test_its_stage_is_a_text_and_all_it_takes() -> None:
    assert fact.problem({"fact": "revisions_applied", "stage": "prod"}) == ""
    assert "needs the setting stage" in fact.problem({"fact": "revisions_applied", "stage": 3})
    assert "has the setting 'stages'" in fact.problem({"fact": "revisions_applied", "stages": "prod"})
    assert "has the setting 'stage'" in fact.problem({"fact": "no_drift", "stage": "prod"})
    assert "has the fact 'none'" in fact.problem({"fact": "none"})
    assert "has the fact None" in fact.problem({})
