"""A session is whoever signed in, until it ends; anything else in its cookie is nobody."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from migrations_app.permissions import VIEWER
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
