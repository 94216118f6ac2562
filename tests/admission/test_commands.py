"""Asking for a lossy way back and granting it from the command line."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from migrations_app.models import Environment, Revision, RollbackConsent, Run
from tests.edge.rehearsals import LOSS, make_rehearsed

pytestmark = pytest.mark.django_db

BACK = ("rollback", "orders", "orders-eu", "--as", "olga", "--reason", "agreed with the team")


@pytest.fixture
def lossy(prod: Environment, revisions: list[Revision], olga: User) -> Environment:
    make_rehearsed(prod, olga, revisions[1:2], "lossy", direction="down")
    return prod


def told(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_one_asks_and_another_one_grants(lossy: Environment, ann: User) -> None:
    with pytest.raises(CommandError, match="a second person grants it"):
        told(*BACK)
    said = told(*BACK, "--ask", "orders-eu")
    consent = RollbackConsent.objects.get()
    assert f"0002_step: {LOSS['sentence']}" in said
    assert f"request {consent.pk} waits for a second person until" in said
    assert not Run.objects.exists()
    said = told("grant", str(consent.pk), "--as", "ann", "--no-wait")
    assert said == f"run {Run.objects.get().pk} is queued\n"


def test_the_name_has_to_be_right(lossy: Environment) -> None:
    with pytest.raises(CommandError, match="The name that was typed is not orders-eu"):
        told(*BACK, "--ask", "orders")
    assert not RollbackConsent.objects.exists()


def test_it_is_declined_or_withdrawn(lossy: Environment, ann: User) -> None:
    told(*BACK, "--ask", "orders-eu")
    first = RollbackConsent.objects.get()
    told("grant", str(first.pk), "--as", "ann", "--decline", "restore instead")
    first.refresh_from_db()
    assert (first.status, first.decided_reason) == ("declined", "restore instead")
    told(*BACK, "--ask", "orders-eu")
    said = told("grant", str(first.pk + 1), "--as", "olga", "--decline", "")
    assert said == f"request {first.pk + 1} is withdrawn\n"


def test_it_refuses_who_may_not_and_what_is_not_there(lossy: Environment, olga: User, ann: User) -> None:
    told(*BACK, "--ask", "orders-eu")
    consent = RollbackConsent.objects.get()
    with pytest.raises(CommandError, match="olga may not do this"):
        told("grant", str(consent.pk), "--as", "olga")
    with pytest.raises(CommandError, match="There is no rollback request 999999"):
        told("grant", "999999", "--as", "ann")
    assert not Run.objects.exists()
