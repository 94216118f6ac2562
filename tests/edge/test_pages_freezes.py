"""The calendar of freezes: what it shows, adding one and lifting it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.models import AuditEntry, Freeze, Service
from migrations_app.permissions import RELEASE_MANAGER
from tests.browser.client import heading, signed_in, text
from tests.edge.cutovers import make_freeze
from tests.edge.fleet import make_service
from tests.edge.people import person

pytestmark = pytest.mark.django_db

SENT = {
    "service": "",
    "starts_at": "2020-01-01T08:00",
    "ends_at": "2020-06-01T08:00",
    "reason": "the busiest week of the year",
}


@pytest.fixture
def ann() -> User:
    return person("ann", RELEASE_MANAGER)


def test_what_holds_comes_before_what_is_to_come_and_what_is_over(ann: User, olga: User) -> None:
    make_freeze(ann, begins=-5, ends=-2)
    make_freeze(ann, begins=2, ends=3)
    make_freeze(ann, make_service(olga))
    page = signed_in(olga).get("/freezes")
    assert heading(page) == "Production of orders is frozen."
    said = text(page).partition("Calendar")[2]
    assert said.index("Holds orders") < said.index("To come every service") < said.index("Over every service")
    assert "Add a freeze Needs one of these roles: release-manager, admin." in said
    assert "/lift" not in page.content.decode()


def test_an_empty_calendar_says_so(olga: User) -> None:
    page = signed_in(olga).get("/freezes")
    assert heading(page) == "Nothing is frozen now."
    assert "The calendar is empty." in text(page)


def test_one_is_added_for_a_service_by_who_may(ann: User, service: Service) -> None:
    client = signed_in(ann)
    assert client.post("/freezes", SENT | {"service": service.name})["Location"] == "/freezes"
    freeze = Freeze.objects.get()
    assert (freeze.service, freeze.starts_at.isoformat()) == (service, "2020-01-01T08:00:00+00:00")
    assert AuditEntry.objects.latest("seq").data["action"] == "freeze.add"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"reason": "no"}, "A freeze needs a reason of 10 characters or more."),
        ({"ends_at": "2019-01-01T08:00"}, "A freeze ends after it begins, and within a year."),
        ({"starts_at": "soon"}, "Enter a valid date/time."),
        ({"service": "none"}, "none is not one of the available choices."),
    ],
)
def test_what_makes_no_sense_is_refused_and_kept(ann: User, fields: dict[str, str], told: str) -> None:
    refused = signed_in(ann).post("/freezes", SENT | fields)
    assert refused.status_code == 422
    assert told in text(refused)
    assert f'value="{(SENT | fields)["reason"]}"' in refused.content.decode()
    assert not Freeze.objects.exists()


def test_it_is_lifted_with_a_reason(ann: User, olga: User) -> None:
    freeze, client = make_freeze(ann), signed_in(ann)
    lift = f"/freezes/{freeze.pk}/lift"
    client.post(lift, {"reason": "no"})
    assert "Lifting a freeze needs a reason of 10 characters or more." in text(client.get("/freezes"))
    assert Freeze.objects.get().lifted_at is None
    assert client.post(lift, {"reason": "the sale is called off"})["Location"] == "/freezes"
    said = text(signed_in(olga).get("/freezes"))
    assert "Nothing is frozen now." in said
    assert "UTC by ann" in said
    client.post(lift, {"reason": "the sale is called off"})
    assert "This freeze is over already." in text(client.get("/freezes"))


def test_who_may_not_changes_nothing(olga: User) -> None:
    freeze, client = make_freeze(olga), signed_in(olga)
    assert client.post("/freezes", SENT).status_code == 403
    assert client.post(f"/freezes/{freeze.pk}/lift", {"reason": "the sale is called off"}).status_code == 403
    assert Freeze.objects.get().lifted_at is None
