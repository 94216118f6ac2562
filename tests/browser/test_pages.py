"""Every page in a real browser: both themes, wide and 320 px, keyboard, and without JavaScript."""

from __future__ import annotations

import re

import pytest
from django.db.models import F
from playwright.sync_api import expect

from migrations_app.models import Run, RunLogLine
from tests.browser.conftest import Reading
from tests.browser.fleet import make_fleet
from tests.edge.fleet import make_log
from tests.sampling import sample

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

UNNAMED = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea')]
  .filter(e => e.checkVisibility() && !(e.innerText || e.getAttribute('aria-label') || e.title || e.labels?.length))
  .map(e => e.outerHTML.slice(0, 120))"""
SMALL = """() => [...document.querySelectorAll('button, .button, select, input:not([type=hidden]), .seg > *')]
  .filter(e => e.checkVisibility() && !['checkbox', 'radio'].includes(e.type))
  .filter(e => e.getBoundingClientRect().height < 24 || e.getBoundingClientRect().width < 24)
  .map(e => e.outerHTML.slice(0, 120))"""
SPILT = """() => [...document.querySelectorAll('table')].filter(t => !t.closest('.matrix'))
  .filter(t => t.getBoundingClientRect().right > t.parentElement.getBoundingClientRect().right + 1)
  .map(t => t.caption.innerText)"""
WINDOWS = [(1440, "light"), (1440, "dark"), (1100, "light"), (800, "light"), (320, "light"), (320, "dark")]


@pytest.mark.parametrize(("width", "theme"), WINDOWS)
def test_every_page_fits_its_window_and_the_browser_has_nothing_to_say(
    reading: Reading, width: int, theme: str
) -> None:
    fleet = make_fleet()
    reader = reading(fleet.olga, width=width, theme=theme)
    for path in sample(fleet.addresses, 3, WINDOWS.index((width, theme))):
        page = reader.open(path)
        assert page.locator("h1").count() == 1, path
        assert reader.sideways() <= 0, path
        assert page.evaluate(SPILT) == [], path
        assert page.evaluate(UNNAMED) == [], path
        assert page.evaluate(SMALL) == [], path
    assert reader.complaints == []


def test_signing_in_with_the_keyboard_leads_home(reading: Reading) -> None:
    fleet = make_fleet()
    fleet.olga.set_password("correct horse battery")
    fleet.olga.save()
    reader = reading(None, width=320)
    page = reader.open("/runs")
    expect(page.locator("#id_username")).to_be_focused()
    page.keyboard.type("olga")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Runs")
    assert reader.complaints == []


def test_the_first_tab_skips_to_the_content_and_tab_reaches_the_actions(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga).open(f"/runs/{fleet.running.pk}")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText"))
    assert "Pause" in reached
    assert "Cancel" in reached


def test_a_run_moves_on_by_itself_and_leaves_the_focus_alone(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga).open(f"/runs/{fleet.running.pk}")
    page.locator("#actions summary", has_text="Pause").click()
    page.locator("#reason_pause").fill("half a sentence")
    Run.objects.filter(pk=fleet.running.pk).update(steps_total=9, steps_done=4, version=F("version") + 1)
    expect(page.locator("h1")).to_contain_text("step 5 of 9", timeout=10_000)
    expect(page.locator("#reason_pause")).to_be_focused()
    expect(page.locator("#reason_pause")).to_have_value("half a sentence")


def test_polling_ends_with_the_run_and_the_end_is_announced(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga).open(f"/runs/{fleet.running.pk}")
    expect(page.locator("#live[hx-trigger]")).to_have_count(1)
    with page.expect_response("**/live?**"):
        pass
    Run.objects.filter(pk=fleet.running.pk).update(status="succeeded", steps_done=1, version=F("version") + 1)
    expect(page.locator("#live[hx-trigger]")).to_have_count(0, timeout=10_000)
    expect(page.locator("#actions details")).to_have_count(0)
    expect(page.locator("[data-announcer]")).to_contain_text("Applied 0001_step")
    expect(page).to_have_title(f"Succeeded: run {fleet.running.pk} on dev – Lockstep")


def test_new_log_lines_arrive_and_a_reader_who_scrolled_up_stays_there(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga).open(f"/runs/{fleet.running.pk}")
    log = page.locator("#log")
    expect(page.locator("[data-following]")).to_have_text(re.compile("^following"))
    log.evaluate("e => e.scrollTo(0, 0)")
    expect(page.locator("[data-following]")).to_have_text(re.compile("^scrolled up, not following"))
    first = RunLogLine.objects.filter(run=fleet.running).first()
    assert first is not None
    RunLogLine.objects.create(run=fleet.running, seq=41, at=first.at, level="error", message="it went wrong")
    expect(page.locator("#L41")).to_contain_text("it went wrong", timeout=10_000)
    assert log.evaluate("e => e.scrollTop") == 0


def test_the_theme_changes_at_once_and_stays(reading: Reading) -> None:
    reader = reading(make_fleet().olga)
    page = reader.open("/")
    before = page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    with page.expect_response("**/theme"):
        page.locator(".themes button", has_text="dark").click()
    assert page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor") != before
    expect(page.locator(".themes button", has_text="dark")).to_have_attribute("aria-pressed", "true")
    reader.open("/runs")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert reader.complaints == []


def test_times_are_relative_until_the_reader_wants_utc(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga).open("/runs")
    moment = page.locator("time[data-when]").first
    expect(moment).to_have_text(re.compile(r"^(now|\d+ s ago)$"))
    page.locator("[data-times] button", has_text="UTC").click()
    expect(moment).to_contain_text(" UTC")
    page.reload()
    expect(page.locator("time[data-when]").first).to_contain_text(" UTC")


def test_single_keys_work_until_they_are_switched_off(reading: Reading) -> None:
    page = reading(make_fleet().olga).open("/runs")
    page.keyboard.press("j")
    expect(page.locator("[data-rows] [data-here]")).to_have_count(1)
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.locator("[data-keys-switch]").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_hidden()


@pytest.mark.parametrize("width", [1440, 320])
def test_without_javascript_every_page_can_be_read_and_a_run_be_paused(reading: Reading, width: int) -> None:
    fleet = make_fleet()
    reader = reading(fleet.olga, width=width, javascript=False)
    for path in sample(fleet.addresses, 2, width // 320):
        expect(reader.open(path).locator("h1")).to_be_visible()
    page = reader.open(f"/runs/{fleet.running.pk}")
    expect(page.locator("time[data-when]").first).to_contain_text("UTC")
    page.locator("#actions summary", has_text="Pause").click()
    page.locator("#reason_pause").fill("lunch")
    page.get_by_role("button", name=f"Pause run {fleet.running.pk}").click()
    expect(page.locator("main [role=status]").first).to_contain_text("Pause asked for")
    assert Run.objects.get(pk=fleet.running.pk).asked == "pause"


def test_without_javascript_a_plan_is_applied(reading: Reading) -> None:
    fleet = make_fleet()
    Run.objects.filter(pk=fleet.running.pk).update(status="succeeded")
    fleet.rehearsal.parts.all().delete()  # its locks are forecast to be held for too long
    make_log(fleet.failed, "kept")
    page = reading(fleet.olga, javascript=False).open("/services/orders/environments/dev")
    page.get_by_role("button", name="Apply one revision on dev").click()
    expect(page.locator("h1")).to_contain_text("Queued: apply 0003_")
