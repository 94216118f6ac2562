"""The ledger and API tokens on pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.fleet.history import HistoryFilter, read_history
from migrations_app.models import ApiToken, Environment
from migrations_app.permissions import OPERATOR
from tests.browser.client import heading, signed_in, text
from tests.edge.fleet import make_environment, make_receipt, make_service
from tests.edge.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment(olga: User) -> Environment:
    environment = make_environment(make_service(olga))
    for seq in (1, 2, 3):
        make_receipt(environment, seq, operator="olga" if seq < 3 else "ann")
    Environment.objects.filter(pk=environment.pk).update(reachability="ok")
    return environment


def test_the_heading_proves_that_receipts_and_ledger_agree(olga: User, environment: Environment) -> None:
    page = signed_in(olga).get("/history")
    assert heading(page) == "Receipts and ledger agree: 3 = 3."
    assert "0 twice, 0 out of order, 0 changed, 0 of 1 target unknown" in text(page)


def test_it_never_claims_agreement_with_a_target_it_cannot_read(olga: User, environment: Environment) -> None:
    Environment.objects.filter(pk=environment.pk).update(reachability="unreachable")
    page = signed_in(olga).get("/history")
    assert heading(page) == "3 receipts known; one target could not be compared."
    assert "Receipt not readable" in text(page)


def test_the_list_goes_on_at_its_key(environment: Environment) -> None:
    first = read_history(HistoryFilter(), window=2)
    assert [row.revision_id for row in first.rows] == ["0003_step", "0002_step"]
    second = read_history(HistoryFilter(after=first.older), window=2)
    assert [row.revision_id for row in second.rows] == ["0001_step"]
    assert second.older is None


def test_the_filters_narrow(olga: User, environment: Environment) -> None:
    client = signed_in(olga)
    for query, count in (("operator=ann", 1), ("revision=0002", 1), ("direction=down", 0), ("service=orders", 3)):
        assert client.get(f"/history?{query}").content.decode().count('data-label="Receipt"') == count, query
    assert "No receipt fits this filter." in text(client.get("/history?direction=down"))


def test_a_token_is_shown_once_and_can_be_revoked(olga: User) -> None:
    client = signed_in(olga)
    page = client.post("/tokens", {"name": "ci", "role": "", "days": "30"})
    token = ApiToken.objects.get()
    assert f"lockstep_{token.prefix}_" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert f"lockstep_{token.prefix}_" not in client.get("/tokens").content.decode()
    client.post(f"/tokens/{token.pk}/revoke")
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert "Revoked" in text(client.get("/tokens"))


def test_the_token_of_another_person_is_nothing(olga: User) -> None:
    signed_in(olga).post("/tokens", {"name": "ci", "role": "", "days": "30"})
    other = signed_in(person("ann", OPERATOR))
    assert other.post(f"/tokens/{ApiToken.objects.get().pk}/revoke").status_code == 404


def test_a_token_cannot_be_wider_than_its_owner(olga: User) -> None:
    page = signed_in(olga).post("/tokens", {"name": "ci", "role": "admin", "days": "30"})
    assert page.status_code == 422
    assert not ApiToken.objects.exists()
