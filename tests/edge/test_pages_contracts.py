"""The page of contracts: its verdict, its table, its list of differences, and what it says when there is nothing."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.templatetags.states import STATES
from migrations_app.models import Service
from migrations_app.permissions import VIEWER
from migrations_app.releases.contracts import WINDOW, Fit
from tests.browser.client import signed_in
from tests.edge.fleet import make_environment, make_service
from tests.edge.people import person
from tests.edge.releases import make_chain, make_release, make_standing

pytestmark = pytest.mark.django_db

PAGE = "/matrix/contracts?service=orders"


@pytest.fixture
def service(olga: User) -> Service:
    service = make_service(olga)
    make_chain(service)
    return service


def text(client: Client, path: str = PAGE) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def test_every_fit_has_a_sign() -> None:
    assert {fit.value for fit in Fit} <= set(STATES)
    assert STATES["unknown"].tone != "ok"


def test_without_a_release_it_says_how_to_register_one(olga: User, service: Service) -> None:
    told = text(signed_in(olga))
    assert "No release is registered, so nothing can be said" in told
    assert "manage.py release register orders RELEASE --schema-rev sc-2 --as olga" in told
    assert "Needs one of these roles" not in told
    assert "Needs one of these roles" in text(signed_in(person("vic", VIEWER)))


def test_without_a_declared_schema_it_says_that_first(olga: User) -> None:
    make_service(olga)
    told = text(signed_in(olga))
    assert "No revision declares a schema_rev yet" in told
    assert "--schema-rev SCHEMA_REV" in told


def test_without_an_environment_no_release_has_anywhere_to_start(olga: User, service: Service) -> None:
    make_release(service, olga, "1.0", "sc-10")
    assert "No environment yet, so no release has anywhere to start." in text(signed_in(olga))


def test_it_says_who_would_refuse_what_and_why(olga: User, service: Service) -> None:
    make_standing(service, "prod-eu", 5)
    make_standing(service, "prod-ap", 1)
    make_release(service, olga, "1.0", "sc-9", "sc-11")
    make_release(service, olga, "1.1", "sc-10", "sc-11")
    make_release(service, olga, "1.2", "sc-11")
    told = text(signed_in(olga))
    assert "prod-ap would refuse two of three releases." in told
    assert "1.1 sc-10 to sc-11 Refuses prod-ap Needs sc-10, stands at sc-9: one revision behind its window." in told
    assert "1.2 sc-11 only Refuses prod-ap Needs sc-11, stands at sc-9: 4 revisions behind its window." in told
    assert "2 refused" in signed_in(olga).get(PAGE).content.decode()


def test_alike_refusals_are_one_line(olga: User, service: Service) -> None:
    for name in ("prod-eu", "prod-us", "prod-ap", "prod-sa"):
        make_standing(service, name, 1)
    make_release(service, olga, "1.0", "sc-10")
    told = text(signed_in(olga))
    assert "prod-eu , prod-us , prod-ap , prod-sa Needs sc-10" in told
    assert "Four of four environments would refuse the release." in told


def test_all_fit(olga: User, service: Service) -> None:
    make_standing(service, "prod-eu", 3)
    make_standing(service, "prod-us", 2)
    make_release(service, olga, "1.0", "sc-10")
    told = text(signed_in(olga))
    assert "The release fits both environments." in told
    assert "No difference." in told


def test_unknown_is_never_fine(olga: User, service: Service) -> None:
    make_standing(service, "prod-eu", 3)
    make_environment(service, "prod-us", order=2)
    make_release(service, olga, "1.0", "sc-10")
    told = text(signed_in(olga))
    assert "No release is known to be refused; prod-us is unknown." in told
    assert "every release Unknown prod-us Unknown: its target was never read." in told
    page = signed_in(olga).get(PAGE).content.decode()
    assert "✓" not in page
    assert page.count("Fits<") == 1


def test_older_releases_are_a_page_away(olga: User, service: Service) -> None:
    make_standing(service, "prod-eu", 3)
    for n in range(WINDOW + 1):
        make_release(service, olga, f"1.{n}", "sc-10")
    client = signed_in(olga)
    page = client.get(PAGE).content.decode()
    assert f"Each of {WINDOW} releases shown fits the one environment." in page
    assert "<code>1.1</code>" in page
    assert "<code>1.0</code>" not in page
    older = re.search(r'href="([^"]+)" rel="next"', page)
    assert older is not None
    assert "<code>1.0</code>" in client.get(unescape(older[1])).content.decode()
    assert client.get(f"{PAGE}&after=made-up").status_code == 400


def test_names_are_escaped_and_other_services_are_named(olga: User, service: Service) -> None:
    make_service(olga, "billing")
    told = signed_in(olga).get(PAGE).content.decode()
    assert 'href="/matrix/contracts?service=billing"' in told
    assert signed_in(olga).get("/matrix/contracts?service=none").status_code == 404
