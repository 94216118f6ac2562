"""A session is whoever signed in, until it ends; anything else in its cookie is nobody."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migrations_app.permissions import ADMIN, VIEWER
from tests.browser.client import signed_in, text
from tests.edge.people import person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("cookie", ["x" * 32, '"\\000aaaaaaaaaa"', "'; SELECT 1; --", "é" * 32, ""])
def test_a_cookie_that_is_no_session_is_nobody(cookie: str) -> None:
    headers = {"cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
    answer = Client(raise_request_exception=False).get("/", headers=headers)
    assert (answer.status_code, answer["Location"]) == (302, "/login?next=/")


def test_a_session_ends_with_its_time(olga: User) -> None:
    client = signed_in(olga)
    assert client.get("/").status_code == 200
    Session.objects.update(expire_date=timezone.now())
    assert client.get("/").status_code == 302


def test_a_role_that_was_taken_or_an_account_that_was_closed_counts_at_once(olga: User) -> None:
    client = signed_in(olga)
    assert "olga · operator" in text(client.get("/"))
    olga.groups.set(person("vera", VIEWER).groups.all())
    assert "olga · viewer" in text(client.get("/"))
    User.objects.filter(pk=olga.pk).update(is_active=False)
    assert client.get("/").status_code == 302


def test_a_changed_password_ends_its_sessions(olga: User) -> None:
    client = signed_in(olga)
    olga.set_password("another correct horse")
    olga.save()
    assert client.get("/").status_code == 302


def test_a_session_its_user_and_their_roles_are_read_together(olga: User) -> None:
    client = signed_in(olga)
    with CaptureQueriesContext(connection) as asked:
        client.get("/find.json")
    assert [sql for query in asked if "django_session" in (sql := query["sql"])] == [query["sql"] for query in asked]
    assert len(asked) == 1
    with CaptureQueriesContext(connection) as asked:
        client.post("/theme")  # nobody has to sign in for that, so nobody is looked up
    assert len(asked) == 0


def test_the_number_before_a_session_makes_nobody_another_person(olga: User) -> None:
    client, anna = signed_in(olga), person("anna", ADMIN)
    _write(Session.objects.get().session_data.replace(str(olga.pk), str(anna.pk), 1))
    assert "olga · operator" in text(client.get("/"))


@pytest.mark.parametrize("number", ["", "no", "0", "9" * 9, "9" * 40])
def test_a_session_without_a_good_number_still_knows_its_user(olga: User, number: str) -> None:
    client = signed_in(olga)
    _write(f"{number} {Session.objects.get().session_data.rpartition(' ')[2]}".lstrip())
    assert "olga · operator" in text(client.get("/"))


def test_a_number_with_nothing_signed_is_nobody(olga: User) -> None:
    client = signed_in(olga)
    _write(f"{olga.pk} forged")
    assert client.get("/").status_code == 302


def _write(session_data: str) -> None:
    Session.objects.update(session_data=session_data)
