"""The eight things an operator does most, each by keyboard alone; at every stop it shows where the focus is."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import Page, expect

from migrations_app.fleet.revisions import put_revision
from migrations_app.models import Environment, Run, RunLogLine, SchemaDrift
from tests.browser.conftest import Reader, Reading
from tests.browser.fleet import LONG, Fleet, make_fleet
from tests.browser.keyboard import Hands

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
PATIENCE = 10_000


def sit_down(reading: Reading, user: User | None, path: str) -> tuple[Reader, Page, Hands]:
    reader = reading(user)
    page = reader.open(path)
    return reader, page, Hands(page)


def test_signing_in_and_out(reading: Reading) -> None:
    fleet = make_fleet()
    fleet.olga.set_password(PASSWORD)
    fleet.olga.save()
    reader, page, hands = sit_down(reading, None, "/tokens")
    assert hands.at() == "Name"
    hands.type("olga")
    hands.tab_to("Password")
    hands.type(PASSWORD)
    hands.tab_to("Sign in")
    hands.press("Enter")
    expect(page.locator("h1")).to_contain_text("API tokens")
    hands.tab_to("dark")
    hands.press("Space")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    hands.tab_to("Sign out", "Shift+Tab")
    hands.press("Enter")
    expect(page.locator("h1")).to_have_text("Sign in")
    assert reader.complaints == []


def test_finding_a_revision_with_the_palette(reading: Reading) -> None:
    reader, page, hands = sit_down(reading, make_fleet().olga, "/")
    hands.press("Control+k")
    assert hands.at() == "A name, a run's number, a page or a command"
    hands.type("currency_check")
    chosen = page.locator("#palette [aria-selected=true]")
    expect(chosen).to_contain_text(LONG)
    hands.press("ArrowDown", "ArrowUp")
    expect(page.locator("#palette-ask")).to_have_attribute("aria-activedescendant", "palette-0")
    hands.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    hands.press("Control+k")
    hands.type("currency_check")
    expect(chosen).to_contain_text(LONG)
    hands.press("Enter")
    expect(page.locator("h1")).to_contain_text(LONG)
    assert reader.complaints == []


def test_reading_the_history_filtering_it_and_opening_a_receipt(reading: Reading) -> None:
    reader, page, hands = sit_down(reading, make_fleet().olga, "/")
    hands.press("g", "h")
    expect(page.locator("h1")).to_contain_text("receipt")
    hands.press("/")
    assert hands.at().startswith("Service")
    hands.tab_to("Environment")
    hands.type("prod-us")
    hands.tab_to("Revision begins with")
    hands.type("0001")
    hands.press("Enter")
    rows = page.locator("main tbody[data-rows] tr")
    expect(rows).to_have_count(1)
    hands.press("j")
    assert hands.at() == "0001_orders"
    hands.press("Enter")
    drawer = page.locator("dialog.drawer[open]")
    expect(drawer.locator("h2").first).to_have_text("0001_orders was applied to prod-us")
    expect(drawer).to_contain_text("Proof")
    hands.tab_to("Copy")
    hands.tab_to("Close", "Shift+Tab")
    hands.press("Enter")
    expect(drawer).to_have_count(0)
    assert hands.at() == "0001_orders"
    assert reader.complaints == []


def test_walking_the_matrix_to_what_is_not_applied_and_to_what_differs(reading: Reading) -> None:
    reader, page, hands = sit_down(reading, make_fleet().olga, "/")
    hands.press("g", "m")
    expect(page.locator("#matrix .matrix")).to_be_visible()
    hands.press("]")
    first = hands.at()
    hands.press("]")
    tip = page.locator("#tip")
    expect(tip).to_contain_text("compared with its target")
    assert hands.at() != first
    hands.press("[")
    assert hands.at() == first
    hands.press("Escape")
    expect(tip).to_be_hidden()
    hands.press("v", "ArrowRight")
    hands.at()
    hands.press("v")
    expect(page.locator("h1")).to_contain_text("between")
    page.go_back()
    hands.press("]", "Enter")
    expect(page.locator("h1")).to_contain_text(" on ")
    assert "/matrix/orders/" in page.url
    assert reader.complaints == []


def test_applying_what_cannot_be_undone_on_production(reading: Reading) -> None:
    fleet = make_fleet()
    put_revision(service=fleet.service, revision_id="0004_gone", up="DROP TABLE orders;", by=fleet.olga)
    Run.objects.filter(pk=fleet.waiting.pk).update(status="failed")
    Environment.objects.filter(name="prod-eu").update(reconcile_note="", differs_from=None)
    SchemaDrift.objects.all().delete()
    reader, page, hands = sit_down(reading, fleet.olga, "/services/orders/environments/prod-eu")
    hands.tab_to("Apply two revisions")
    hands.press("Enter")
    expect(page.locator("dialog[open] #typed")).to_be_focused()
    assert hands.at().startswith("To go on, type")
    hands.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert hands.at().startswith("Apply two revisions")
    hands.press("Enter")
    expect(page.locator("dialog[open] #typed")).to_be_focused()
    hands.type("prod-eu")
    hands.tab_to("Reason")
    hands.type("agreed with the team")
    hands.tab_to("Apply two revisions")
    hands.press("Enter")
    page.wait_for_url("**/runs/*")
    run = Run.objects.latest("pk")
    assert (run.environment.name, run.reason) == ("prod-eu", "agreed with the team")
    assert reader.complaints == []


def test_pausing_a_run_and_resuming_it(reading: Reading) -> None:
    fleet = make_fleet()
    running = fleet.running
    reader, page, hands = sit_down(reading, fleet.olga, f"/runs/{running.pk}")
    ask(hands, "Pause", "Pause run", "lunch")
    expect(page.locator("main [role=status]").first).to_contain_text("Pause asked for")
    running.refresh_from_db()
    assert (running.asked, running.asked_reason) == ("pause", "lunch")
    # What a worker does next.
    Run.objects.filter(pk=running.pk).update(status="paused", asked="", version=F("version") + 1)
    expect(page.locator("#actions summary", has_text="Resume")).to_be_visible(timeout=PATIENCE)
    ask(hands, "Resume", "Resume run", "back again")
    expect(page.locator("#verdict .chip")).to_have_text("Queued")
    assert reader.complaints == []


def ask(hands: Hands, verb: str, button: str, why: str) -> None:
    """Open an action of the run's page, give a reason and send it."""
    hands.tab_to(verb)
    hands.press("Enter")
    hands.tab_to("Reason")
    hands.type(why)
    hands.tab_to(button)
    hands.press("Enter")


def test_deciding_what_the_catalogue_cannot_tell(reading: Reading) -> None:
    fleet = make_fleet()
    reader, page, hands = sit_down(reading, fleet.olga, "/")
    hands.press("n", "j")
    assert hands.at() == f"Run {fleet.undecided.pk}"
    hands.press("Enter")
    expect(page.locator("#decide-title")).to_be_visible()
    hands.tab_to("The statement took effect")
    hands.press("ArrowDown", "ArrowDown")
    assert hands.at().startswith("Give the run up")
    hands.tab_to("What you saw")
    hands.type("nothing of it is in the target")
    hands.tab_to("Record the decision")
    hands.press("Enter")
    expect(page.locator("#decide-title")).to_have_count(0)
    fleet.undecided.refresh_from_db()
    assert fleet.undecided.status == "cancelled"
    assert reader.complaints == []


def test_searching_a_log(reading: Reading) -> None:
    fleet = make_fleet()
    went_wrong(fleet)
    reader, page, hands = sit_down(reading, fleet.olga, f"/runs/{fleet.running.pk}")
    hands.press("/")
    assert hands.at() == "Lines that hold"
    hands.type("39/40")
    hands.press("Enter")
    lines = page.locator("#log > li[id]")
    expect(lines).to_have_count(1)
    hands.tab_to("All lines")
    hands.press("Enter")
    expect(page.locator("#L41")).to_be_attached()
    hands.press("e")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("it went wrong")
    hands.tab_to("Log")
    expect(page.locator("#log")).to_be_focused()
    hands.tab_to("Line 41")
    hands.press("Enter")
    expect(page).to_have_url(re.compile(r"#L41$"))
    assert reader.complaints == []


def went_wrong(fleet: Fleet) -> None:
    RunLogLine.objects.create(
        run=fleet.running, seq=41, at=timezone.now(), level="error", revision_id="0001_step", step=1,
        message="it went wrong",
    )  # fmt: skip
    Run.objects.filter(pk=fleet.running.pk).update(log_seq=41)
