"""A place in a list that no link of ours names is refused; the newest page must not pass for it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.models import Service
from migrations_app.permissions import ADMIN, AUDITOR
from tests.browser.client import signed_in, text
from tests.edge.people import person

pytestmark = pytest.mark.django_db

PAGES = ("/audit", "/services/orders/revisions")


@pytest.fixture
def ada(db: None) -> User:
    return person("ada", ADMIN, AUDITOR)


@pytest.mark.parametrize("place", ["zz", "-1", "%ff", "%00", "1%00", "%D9%A1", "9223372036854775808", "1&before=2"])
@pytest.mark.parametrize("page", PAGES)
def test_a_spoilt_place_is_refused_with_a_sentence(ada: User, service: Service, page: str, place: str) -> None:
    answer = signed_in(ada).get(f"{page}?before={place}")
    assert answer.status_code == 400
    assert "“before” in this address is not a place in this list." in text(answer)


@pytest.mark.parametrize("place", ["", "0", "1", "9223372036854775807"])
@pytest.mark.parametrize("page", PAGES)
def test_any_other_place_is_looked_up(ada: User, service: Service, page: str, place: str) -> None:
    assert signed_in(ada).get(f"{page}?before={place}").status_code == 200
