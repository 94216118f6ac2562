"""Whose session ends while a page polls is told so, can sign in and is back; and nothing is asked meanwhile."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.conftest import Reading
from tests.browser.fleet import make_fleet
from tests.browser.polls import requests_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PATIENCE = 15_000
QUIET_MS = 15_000  # as many polls of a log, three of the others


@pytest.mark.parametrize(
    ("path", "width"),
    [
        ("/", 1440),
        ("/runs?status=running", 320),
        ("/matrix", 1100),
        ("/runs/{run}?steps=all", 1440),
        ("/runs/{run}/log?q=a", 320),
    ],
)
def test_the_end_of_a_session_is_told_with_the_way_back_and_polling_rests(
    reading: Reading, path: str, width: int
) -> None:
    fleet = make_fleet()
    fleet.olga.set_password("correct horse battery")
    fleet.olga.save()
    path = path.format(run=fleet.running.pk)
    reader = reading(fleet.olga, width=width)
    reader.page.clock.install()
    page = reader.open(path)
    Session.objects.all().delete()
    told = page.locator("[data-signed-out]")
    expect(told).to_be_visible(timeout=PATIENCE)
    expect(told).to_have_text("You were signed out. Sign in")
    expect(page.locator("[data-announcer]")).to_have_text("You were signed out.")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    assert "trying" not in page.locator("main").inner_text().lower()
    assert reader.sideways() <= 0
    assert grave(page) == []
    asked = requests_to(page, reader.base)
    page.clock.run_for(QUIET_MS)
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    assert asked == []
    told.get_by_role("link").click()
    page.locator("#id_username").fill("olga")
    page.locator("#id_password").fill("correct horse battery")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(path) + "$"))
    assert reader.complaints == []
