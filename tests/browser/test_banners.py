"""The rows above every page follow what is true, on an open page too, and ask for nothing while nothing is new."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from migrations_app.models import AuditCheck
from tests.browser.conftest import Reading
from tests.browser.fleet import make_fleet
from tests.browser.polls import requests_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATIENCE = 15_000
SENTENCE = "Entry number 7 is not what was written: its hash differs."


@pytest.mark.parametrize("path", ["/", "/matrix", "/runs", "run"])
def test_a_banner_comes_to_an_open_page_is_told_once_and_leaves_again(reading: Reading, path: str) -> None:
    fleet = make_fleet()
    reader = reading(fleet.olga)
    page = reader.open(f"/runs/{fleet.running.pk}" if path == "run" else path)
    asked = requests_to(page, "/banners")
    banners = page.locator("#banners")
    expect(banners).to_be_hidden()
    AuditCheck.objects.create(
        id=1, checked_at=timezone.now(), took_ms=3, ok=False, checked=6, head_seq=6, head_hash="", sentence=SENTENCE
    )
    expect(banners.locator(".banner.bad")).to_contain_text(SENTENCE, timeout=PATIENCE)
    expect(page.locator("[data-announcer]")).to_contain_text(SENTENCE)
    banners.locator("a").focus()
    AuditCheck.objects.update(ok=True)
    expect(banners).to_be_hidden(timeout=PATIENCE)
    expect(page.locator("main")).to_be_focused()
    assert len(asked) == 2
    assert reader.complaints == []
