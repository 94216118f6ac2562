"""The stopwatch in a real browser: it survives a reload and a lost connection, and one press is one lap."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from migrations_app.models import Drill, DrillStep
from tests.browser.axe import grave
from tests.browser.conftest import Reading
from tests.browser.fleet import Fleet, make_fleet
from tests.edge.drills import press, shift

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def watch(fleet: Fleet) -> str:
    return f"/rehearsals/drills/{fleet.timed.uid}/stopwatch"


def stands(fleet: Fleet) -> tuple[int, int]:
    drill = Drill.objects.get(pk=fleet.timed.pk)
    return drill.lap, drill.step


def seconds(page: Page) -> int:
    minutes, rest = page.locator(".clock").first.inner_text().split(":")
    return int(minutes) * 60 + int(rest)


def test_the_space_bar_ends_a_step_once_and_the_lap_is_announced(reading: Reading) -> None:
    fleet = make_fleet()
    reader = reading(fleet.olga)
    page = reader.open(watch(fleet))
    expect(page.locator("h1")).to_contain_text("step 3 of 5")
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    expect(page.locator("h1")).to_contain_text("step 4 of 5")
    expect(page.locator("[data-announcer]")).to_contain_text("Step 3 ended after")
    expect(page.locator("[data-press] .huge")).to_be_focused()
    assert stands(fleet) == (4, 4)
    page.locator("body").click(position={"x": 3, "y": 500})
    page.keyboard.press("Space")
    expect(page.locator("h1")).to_contain_text("step 5 of 5")
    assert stands(fleet) == (5, 5)
    assert reader.complaints == []


def test_space_in_a_field_or_on_another_button_is_no_lap(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga).open(watch(fleet))
    page.locator("#int_what").press_sequentially("a b")
    expect(page.locator("#int_what")).to_have_value("a b")
    page.get_by_role("button", name="Passed: signing in works").press("Space")
    expect(page.locator("main .notice").first).to_contain_text("signing in works passed")
    assert stands(fleet) == (3, 3)


def test_the_clock_goes_on_from_the_servers_time_after_a_reload_and_in_another_browser(reading: Reading) -> None:
    fleet = make_fleet()
    shift(fleet.timed, step_3_started=100)
    page = reading(fleet.olga).open(watch(fleet))
    expect(page.locator(".clock").first).to_have_text(re.compile(r"^1:[45]\d$"))
    first = seconds(page)
    page.reload()
    expect(page.locator(".clock").first).not_to_have_text(f"{first // 60}:{first % 60:02}", timeout=10_000)
    other = reading(fleet.olga, width=320, theme="dark").open(watch(fleet))
    assert first <= seconds(page) <= seconds(other) + 1
    press(fleet.timed, fleet.olga)
    expect(other.locator("h1")).to_contain_text("step 4 of 5", timeout=8000)
    expect(page.locator("h1")).to_contain_text("step 4 of 5", timeout=8000)


def test_a_press_without_a_connection_is_kept_shown_and_saved_later(reading: Reading) -> None:
    fleet = make_fleet()
    shift(fleet.timed, step_3_started=100)
    reader = reading(fleet.olga)
    page = reader.open(watch(fleet))

    def gone(route: Route) -> None:
        route.abort("connectionrefused")

    page.route("**/next", gone)
    page.keyboard.press("Space")
    notice = page.locator("[data-unsaved]")
    expect(notice).to_contain_text("Unsaved. The press of")
    expect(notice).to_contain_text("Lockstep cannot be reached.")
    page.wait_for_timeout(700)
    page.keyboard.press("Space")
    expect(notice).to_contain_text("2 presses of")
    assert stands(fleet) == (3, 3)
    page.reload()
    expect(notice).to_contain_text("2 presses of")
    page.unroute("**/next", gone)
    page.get_by_role("button", name="Save now").click()
    expect(page.locator("h1")).to_contain_text("step 5 of 5", timeout=8000)
    expect(notice).to_be_hidden()
    assert stands(fleet) == (5, 5)
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('lockstep-laps'))") == []
    third, fourth = DrillStep.objects.filter(drill=fleet.timed, number__in=(3, 4))
    assert third.held_ms > fourth.held_ms > 0
    assert third.ended_at is not None and fourth.ended_at is not None and third.saved_at is not None
    assert timedelta() < fourth.ended_at - third.ended_at < timedelta(seconds=30)
    assert third.ended_at < third.saved_at
    assert "it was held back for" in reader.open(f"/rehearsals/drills/{fleet.timed.uid}").content()


def test_a_saved_press_whose_answer_was_lost_is_not_counted_twice(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga).open(watch(fleet))
    lost: list[int] = []

    def lose(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort("connectionreset")

    page.route("**/next", lose)
    page.keyboard.press("Space")
    expect(page.locator("h1")).to_contain_text("step 4 of 5", timeout=10_000)
    assert lost == [200]
    assert stands(fleet) == (4, 4)


def test_what_is_refused_is_told_and_what_was_written_stays(reading: Reading) -> None:
    fleet = make_fleet()
    press(fleet.timed, fleet.olga, pause=True)
    shift(fleet.timed, step_3_ended=75)
    page = reading(fleet.olga).open(watch(fleet))
    expect(page.locator("h1")).to_contain_text("paused after step 3 of 5")
    page.locator(".huge").click()
    expect(page.locator(".toast.bad")).to_contain_text("above 60 s a note is required")
    page.locator("#pause_note").fill("waited for the backup")
    page.locator(".huge").click()
    expect(page.locator("h1")).to_contain_text("step 4 of 5", timeout=8000)
    assert Drill.objects.get(pk=fleet.timed.pk).interventions.filter(note="waited for the backup").exists()


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (320, "light")])
def test_axe_finds_nothing_on_the_pages_of_drills(reading: Reading, width: int, theme: str) -> None:
    fleet = make_fleet()
    reader = reading(fleet.olga, width=width, theme=theme)
    for path in (address for address in fleet.addresses if address.startswith("/rehearsals")):
        assert grave(reader.open(path)) == [], path
    assert reader.complaints == []


def test_without_a_script_the_clock_is_worked_by_its_buttons(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga, javascript=False).open(watch(fleet))
    page.locator(".huge").click()
    expect(page.locator("h1")).to_contain_text("step 4 of 5")
    page.get_by_role("button", name="End step 4 and pause").click()
    expect(page.locator("h1")).to_contain_text("paused after step 4 of 5")
    assert stands(fleet) == (5, 4)


def test_two_ticked_rows_are_compared_by_keyboard(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga).open("/rehearsals")
    for key in ("j", "j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.locator("[data-pick]:checked")).to_have_count(2)
    page.get_by_role("button", name="Compare the two picked").press("Enter")
    expect(page.locator("h1")).to_have_text("Three steps took more than 20 % longer.")
