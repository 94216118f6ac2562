"""The rows above every page follow what is true, on an open page too, and ask for nothing while nothing is new."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from migrations_app.models import AuditCheck, Run
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


@pytest.mark.parametrize("width", [1440, 480])
def test_the_end_of_a_run_takes_its_count_and_changes_the_verdict_on_its_open_page(
    reading: Reading, width: int
) -> None:
    """Focus in the verdict stays there, and nothing is asked twice."""
    fleet = make_fleet()
    Run.objects.exclude(pk=fleet.running.pk).delete()
    reader = reading(fleet.olga, width=width)
    page = reader.open(f"/runs/{fleet.running.pk}")
    asked = requests_to(page, "/banners")
    counts, chip = page.locator("[data-open-runs]"), page.locator("#chip")
    expect(counts).to_have_text(["open: 1", "open: 1"])
    before = chip.inner_text()
    chip.locator("a").focus()
    Run.objects.filter(pk=fleet.running.pk).update(
        status="failed", version=fleet.running.version + 1, finished_at=timezone.now()
    )
    expect(counts).to_have_text(["", ""], timeout=PATIENCE)
    expect(chip).not_to_have_text(before)
    expect(chip.locator("a")).to_be_focused()
    assert len(asked) == 1
    assert reader.complaints == []
