"""The chain below the release is the one it was registered with."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db.models import F

from migrations_app.models import Release, Revision
from migrations_app.releases.gates import facts
from tests.edge.fleet import make_revision
from tests.edge.releases import make_release
from tests.releases.gates.facts.conftest import Look

pytestmark = pytest.mark.django_db

OTHER = "A revision up to 0003_step has other bytes or another place than when it was registered."


def test_an_untouched_chain_holds_whatever_comes_above(shop: Release, look: Look) -> None:
    Revision.objects.filter(position=4).update(checksum="sha256:other")
    make_revision(shop.service, 6)
    assert look("revisions_unchanged") == ("pass", "Up to 0003_step the chain is as it was registered.")


@pytest.mark.parametrize("position", [1, 3])
def test_other_bytes_below_do_not(look: Look, position: int) -> None:
    Revision.objects.filter(position=position).update(checksum="sha256:other")
    assert look("revisions_unchanged") == ("fail", OTHER)


def test_a_revision_put_in_between_does_not(shop: Release, look: Look) -> None:
    Revision.objects.filter(position__gte=2).order_by("-position").update(position=F("position") + 10)
    between = make_revision(shop.service, 7)
    Revision.objects.filter(pk=between.pk).update(position=2)
    assert look("revisions_unchanged") == ("fail", OTHER)


def test_a_revision_that_left_the_chain_does_not(look: Look) -> None:
    Revision.objects.filter(position=3).update(revision_id="0003_other")
    assert look("revisions_unchanged") == ("fail", "0003_step is not in the chain any more.")


def test_a_release_that_is_older_than_the_note_has_to_be_registered_anew(shop: Release, olga: User) -> None:
    old = make_release(shop.service, olga, "1.0", "sc-3")
    assert facts.look("revisions_unchanged", old, {}).state == "fail"
    assert "register it anew" in facts.look("revisions_unchanged", old, {}).sentence
