"""A place in a list that no link of ours names is refused; the newest page must not pass for it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from dashboard.cursors import read, write
from migrations_app.audit.record import record
from migrations_app.models import Environment, Service
from migrations_app.permissions import ADMIN, AUDITOR
from tests.browser.client import signed_in, text
from tests.edge.fleet import make_receipt, make_revision
from tests.edge.people import person

pytestmark = pytest.mark.django_db

# Page, the name of its cursor, the list it is signed for, a key.
LISTS = (
    ("/audit", "before", "audit", (5,)),
    ("/services/orders/revisions", "before", "revisions of {service.pk}", (5,)),
    ("/runs", "before", "runs before", (5,)),
    ("/runs", "after", "runs after", (5,)),
    ("/rehearsals", "before", "drills", (5,)),
    ("/history", "after", "history", ("2026-11-20T12:00:00+00:00", 5)),
)
SPOILT = ("zz", "-1", "5", "%ff", "%00", "~", "WzVd", "WzVd~", "9223372036854775808")


@pytest.fixture
def ada(db: None) -> User:
    return person("ada", ADMIN, AUDITOR)


@pytest.mark.parametrize(("page", "name", "of", "key"), LISTS)
def test_a_place_that_was_given_out_is_looked_up(
    ada: User, service: Service, page: str, name: str, of: str, key: tuple[str | int, ...]
) -> None:
    assert signed_in(ada).get(page, {name: write(of.format(service=service), *key)}).status_code == 200
    assert signed_in(ada).get(page, {name: ""}).status_code == 200


@pytest.mark.parametrize(("page", "name", "of", "key"), LISTS)
def test_any_other_place_is_refused_with_a_sentence(
    ada: User, service: Service, page: str, name: str, of: str, key: tuple[str | int, ...]
) -> None:
    good, client = write(of.format(service=service), *key), signed_in(ada)
    others = {"audit", "runs before", "runs after", "history", "revisions of 0", "API: runs", "API: audit"} - {of}
    elsewhere = [write(other, *key) for other in others]
    written = [*elsewhere, f" {good}", f"{good}%00", f"{good}&{name}={good}", good[:-1], good.upper(), *SPOILT]
    for place in written:
        answer = client.get(f"{page}?{name}={place}")
        assert answer.status_code == 400, place
        assert f"“{name}” in this address is not a place in this list." in text(answer), place


def test_no_character_of_a_cursor_can_be_another() -> None:
    good = write("history", "2026-11-20T12:00:00.5+00:00", 301_591)
    assert read("history", good) == ("2026-11-20T12:00:00.5+00:00", 301_591)
    changed = (good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :] for at in range(len(good)))
    assert [text for text in changed if read("history", text) is not None] == []
    assert read("history", "\ud800~x") is None


def test_a_list_of_several_pages_says_how_many_rows_this_one_shows(
    ada: User, service: Service, environment: Environment
) -> None:
    for seq in range(1, 102):
        make_revision(service, seq)
        make_receipt(environment, seq)
        record(actor=ada, action="test.filled", object=f"run:{seq}")
    shown = {
        page: signed_in(ada).get(page).content.decode() for page in ("/audit", "/history", "/services/orders/revisions")
    }
    assert ">50 shown<" in shown["/audit"]
    assert ">50 shown<" in shown["/history"]
    assert ">100 shown<" in shown["/services/orders/revisions"]
