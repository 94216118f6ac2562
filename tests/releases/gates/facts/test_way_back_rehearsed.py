"""Each revision that a cutover would apply was rehearsed there and back, as it stands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from migrations_app.models import Environment, Release, Revision, RevisionRehearsal
from migrations_app.releases.gates import facts
from migrations_app.releases.gates.facts.way_back_rehearsed import DAYS
from tests.edge.cutovers import make_cutover
from tests.edge.rehearsals import make_part, make_rehearsal
from tests.edge.releases import make_standing
from tests.releases.gates.facts.conftest import Look

pytestmark = pytest.mark.django_db


@pytest.fixture
def prod(shop: Release) -> Environment:
    """It has the first revision; two more would be applied."""
    return make_standing(shop.service, "prod-eu", 1)


def rehearse(environment: Environment, by: User, **verdicts: str) -> None:
    rehearsal = make_rehearsal(environment, by)
    for name, verdict in verdicts.items():
        make_part(rehearsal, Revision.objects.get(revision_id=f"{name[1:]}_step"), verdict)


def test_without_an_environment_it_does_not_apply(look: Look) -> None:
    assert look("way_back_rehearsed") == ("not_applicable", "There is no environment yet.")


def test_where_nothing_has_to_be_applied_it_does_not_apply(shop: Release, look: Look) -> None:
    make_standing(shop.service, "prod-eu", 3)
    assert look("way_back_rehearsed") == ("not_applicable", "No environment has to get a revision for it.")


def test_all_of_them_rehearsed_hold_and_losses_are_named(prod: Environment, look: Look, olga: User) -> None:
    rehearse(prod, olga, _0002="reversible", _0003="reversible")
    assert look("way_back_rehearsed") == ("pass", "two revisions rehearsed there and back.")
    rehearse(prod, olga, _0003="lossy")
    assert look("way_back_rehearsed") == ("pass", "two revisions rehearsed there and back; lossy: 0003_step.")


def test_one_that_was_never_rehearsed_is_missing(prod: Environment, look: Look, olga: User) -> None:
    rehearse(prod, olga, _0002="reversible")
    assert look("way_back_rehearsed") == (
        "missing",
        "0003_step: not rehearsed with these bytes in 14 days. An environment's page does it.",
    )


def test_what_its_cutover_carried_stands_when_it_is_applied(
    shop: Release, prod: Environment, look: Look, olga: User, omar: User
) -> None:
    rehearse(prod, olga, _0002="reversible", _0003="lossy")
    make_cutover(shop, olga, omar)
    before = facts.look("way_back_rehearsed", shop, {})
    Environment.objects.filter(pk=prod.pk).update(head_revision="0003_step")
    assert facts.look("way_back_rehearsed", shop, {}) == before
    assert look("way_back_rehearsed") == ("pass", "two revisions rehearsed there and back; lossy: 0003_step.")
    RevisionRehearsal.objects.update(finished_at=timezone.now() - timedelta(days=DAYS, minutes=1))
    assert look("way_back_rehearsed") == ("not_applicable", "No environment has to get a revision for it.")


@pytest.mark.parametrize("verdict", ["irreversible", "failed"])
def test_one_without_a_way_back_fails(prod: Environment, look: Look, olga: User, verdict: str) -> None:
    rehearse(prod, olga, _0002="reversible", _0003=verdict)
    assert look("way_back_rehearsed") == ("fail", "There is no way back from 0003_step, by its rehearsal.")


def test_the_newest_verdict_counts(prod: Environment, look: Look, olga: User) -> None:
    rehearse(prod, olga, _0002="reversible", _0003="failed")
    rehearse(prod, olga, _0003="reversible")
    assert look("way_back_rehearsed")[0] == "pass"


@pytest.mark.parametrize("change", [{"checksum": "sha256:other"}, {"down_checksum": "sha256:other"}])
def test_a_rehearsal_of_other_bytes_does_not_count(
    prod: Environment, look: Look, olga: User, change: dict[str, str]
) -> None:
    rehearse(prod, olga, _0002="reversible", _0003="reversible")
    Revision.objects.filter(revision_id="0003_step").update(**change)
    assert look("way_back_rehearsed")[0] == "missing"


def test_one_on_another_chain_or_too_long_ago_does_not_count(prod: Environment, look: Look, olga: User) -> None:
    rehearse(prod, olga, _0002="reversible", _0003="reversible")
    RevisionRehearsal.objects.update(finished_at=timezone.now() - timedelta(days=DAYS, minutes=1))
    assert look("way_back_rehearsed")[0] == "missing"
    rehearse(prod, olga, _0002="reversible", _0003="reversible")
    Revision.objects.filter(revision_id="0001_step").update(checksum="sha256:other")
    assert look("way_back_rehearsed")[0] == "missing"


def test_the_environment_that_is_furthest_behind_decides(
    shop: Release, prod: Environment, look: Look, olga: User
) -> None:
    rehearse(prod, olga, _0002="reversible", _0003="reversible")
    make_standing(shop.service, "prod-us", 0)
    assert look("way_back_rehearsed")[1].startswith("0001_step: not rehearsed")


def test_a_release_whose_revision_left_the_chain_fails(prod: Environment, look: Look) -> None:
    Revision.objects.filter(revision_id="0003_step").update(revision_id="0003_other")
    assert look("way_back_rehearsed") == ("fail", "0003_step is not in the chain any more.")


def test_a_verdict_that_changes_is_other_evidence(shop: Release, prod: Environment, olga: User) -> None:
    rehearse(prod, olga, _0002="reversible", _0003="reversible")
    first = facts.look("way_back_rehearsed", shop, {})
    rehearse(prod, olga, _0003="reversible")
    assert facts.look("way_back_rehearsed", shop, {}).identity == first.identity
    rehearse(prod, olga, _0003="lossy")
    assert facts.look("way_back_rehearsed", shop, {}).identity != first.identity
