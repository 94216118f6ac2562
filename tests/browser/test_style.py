"""The style page in a real browser: every part in both themes, wide and at 320 px, by keyboard, and under axe-core."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from migrations_app.permissions import ADMIN
from tests.browser.axe import grave
from tests.browser.conftest import Reading
from tests.browser.fleet import Fleet, make_fleet
from tests.edge.people import person
from tests.sampling import sample

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OUTSIDE = "document.activeElement !== document.body && !document.activeElement.closest('dialog')"
TELL = "([text, tone]) => document.dispatchEvent(new CustomEvent('lockstep:tell', {detail: {text, tone}}))"
# What a dialog that closes does comes after the next frame.
SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
WINDOWS = [(1440, "light"), (1440, "dark"), (320, "light"), (320, "dark")]


def style(reading: Reading, **window: object) -> Page:
    return reading(person("ada", ADMIN), **window).open("/style")


def test_axe_sees_what_is_wrong(reading: Reading) -> None:
    page = style(reading)
    page.evaluate("document.querySelector('main').append(document.createElement('select'))")
    assert [line.partition(":")[0] for line in grave(page)] == ["select-name"]


@pytest.mark.parametrize(("width", "theme"), WINDOWS)
def test_it_fits_is_allowed_by_the_policy_and_axe_finds_nothing_grave(reading: Reading, width: int, theme: str) -> None:
    reader = reading(person("ada", ADMIN), width=width, theme=theme)
    page = reader.open("/style")
    assert reader.sideways() <= 0
    assert grave(page) == []
    for opener in ("#dialog-sample", "#drawer-sample", "#keys"):
        page.locator(f'a[href="{opener}"]').first.click()
        expect(page.locator(f"dialog{opener}")).to_be_visible()
        assert reader.sideways() <= 0
        assert grave(page) == [], opener
        page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("go")
    assert grave(page) == []
    assert reader.complaints == []


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (320, "light")])
def test_axe_finds_nothing_grave_on_any_page(reading: Reading, width: int, theme: str) -> None:
    fleet = make_fleet()
    reader = reading(fleet.olga, width=width, theme=theme)
    for path in sample(fleet.addresses, 3, len(theme) + (width == 320)):
        assert grave(reader.open(path)) == [], path
    assert reader.complaints == []


def test_a_dialog_keeps_the_focus_inside_and_gives_it_back(reading: Reading) -> None:
    page = style(reading)
    opener = page.locator('a[href="#dialog-sample"]')
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog-sample")
    expect(dialog.locator("input[name=typed]")).to_be_focused()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate(OUTSIDE) is False
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


@pytest.mark.parametrize(("key", "name"), [("?", "#keys"), ("Control+k", "#palette")])
def test_what_only_helps_keeps_the_focus_and_swallows_the_click_that_closes_it(
    reading: Reading, key: str, name: str
) -> None:
    page = style(reading)
    opener = page.locator('a[href="#dialog-sample"]')
    opener.focus()
    page.keyboard.press(key)
    expect(page.locator(name)).to_be_visible()
    for press in ("Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab"):
        page.keyboard.press(press)
        assert page.evaluate(OUTSIDE) is False
    address = page.url
    page.locator(".frame > .nav a").first.click(force=True)
    expect(page.locator(name)).to_be_hidden()
    expect(opener).to_be_focused()
    assert page.url == address


@pytest.mark.parametrize(("key", "name"), [("?", "#keys"), ("Control+k", "#palette")])
def test_what_only_helps_leaves_the_page_where_it_was_read(reading: Reading, key: str, name: str) -> None:
    page = style(reading)
    for focused in ("", "a[href='#dialog-sample']"):
        if focused:
            page.locator(focused).evaluate("e => e.focus({preventScroll: true})")
        page.evaluate("scrollTo(0, 700)")
        page.keyboard.press(key)
        expect(page.locator(name)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(name)).to_be_hidden()
        page.evaluate(SETTLED)
        assert page.evaluate("scrollY") == 700, focused


def test_the_palette_takes_the_place_of_the_list_of_keys(reading: Reading) -> None:
    page = style(reading)
    page.keyboard.press("?")
    page.keyboard.press("Control+k")
    expect(page.locator("#keys")).to_be_hidden()
    expect(page.locator("#palette input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()


def test_a_page_opens_in_a_drawer_and_the_link_still_leads_to_it(reading: Reading) -> None:
    page = style(reading)
    link = page.locator("a[data-open=drawer]")
    link.click()
    drawer = page.locator("dialog.drawer[open]")
    expect(drawer.locator("#taken-title")).to_have_text("Runs")
    expect(drawer).to_contain_text("Nothing has run yet.")
    expect(drawer.get_by_text("Open as a page")).to_have_attribute("href", re.compile(r"/runs$"))
    page.keyboard.press("Escape")
    expect(page.locator("dialog.drawer[open]")).to_have_count(0)
    expect(link).to_be_focused()


def test_without_javascript_dialogs_are_parts_of_the_page_and_remarks_open_on_focus(reading: Reading) -> None:
    page = style(reading, javascript=False)
    page.locator('a[href="#dialog-sample"]').click()
    expect(page.locator("#dialog-sample")).to_be_visible()
    page.locator("#dialog-sample [data-close]").click()
    expect(page.locator("#dialog-sample")).to_be_hidden()
    page.locator(".pop button").focus()
    expect(page.locator("#pop_sample")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 320])
def test_a_remark_opens_on_focus_stays_under_the_pointer_and_escape_closes_it(reading: Reading, width: int) -> None:
    reader = reading(person("ada", ADMIN), width=width)
    page = reader.open("/style")
    remark = page.locator("#pop_sample")
    page.locator(".pop button").focus()
    expect(remark).to_be_visible()
    assert reader.sideways() <= 0
    page.keyboard.press("Escape")
    expect(remark).to_be_hidden()
    page.locator("h1").click()
    page.locator(".pop button").hover()
    remark.hover()
    expect(remark).to_be_visible()


def test_a_cells_remark_describes_it_and_escape_closes_it(reading: Reading) -> None:
    reader = reading(person("ada", ADMIN))
    reader.page.clock.install()
    page = reader.open("/style")
    cell = page.locator("[data-tip]")
    cell.focus()
    expect(page.locator("#tip")).to_contain_text("by olga in run 1042")
    expect(cell).to_have_attribute("aria-describedby", "tip")
    page.keyboard.press("Escape")
    expect(page.locator("#tip")).to_be_hidden()
    cell.hover()
    page.locator("#tip").hover()
    page.clock.run_for(400)
    expect(page.locator("#tip")).to_be_visible()


def test_a_toast_is_told_politely_and_what_went_wrong_stays(reading: Reading) -> None:
    page = style(reading)
    for tone in ("ok", "bad"):
        page.evaluate(TELL, [f"<b>{tone}", tone])
    region = page.locator("[data-toasts]")
    expect(region).to_have_attribute("role", "status")
    expect(region.locator(".toast")).to_have_count(2)
    expect(region).to_contain_text("<b>ok")
    region.locator(".toast.bad button").click()
    expect(region.locator(".toast.bad")).to_have_count(0)


def test_what_may_be_tried_later_counts_down_and_then_works(reading: Reading) -> None:
    page = style(reading)
    again = page.locator("#nothing a", has_text="Try again")
    expect(again).to_have_attribute("aria-disabled", "true")
    expect(page.locator("[data-countdown]")).to_have_text(re.compile(r"^in \d+ s$"))
    again.click(force=True)
    assert page.url.endswith("/style")


@pytest.fixture
def fleet(transactional_db: None) -> Fleet:
    return make_fleet()


def test_the_palette_finds_a_place_by_keyboard_alone(reading: Reading, fleet: Fleet) -> None:
    reader = reading(fleet.olga)
    page = reader.open("/runs")
    page.keyboard.press("Control+k")
    ask = page.get_by_role("combobox", name=re.compile("A name"))
    expect(ask).to_be_focused()
    page.keyboard.type("prod-us")
    first = page.locator("#palette-list [role=option]").first
    expect(first).to_contain_text("environment · orders")
    expect(ask).to_have_attribute("aria-activedescendant", "palette-0")
    expect(first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/services/orders/environments/prod-us$"))
    assert reader.complaints == []


def test_the_palette_goes_to_pages_presses_commands_and_gives_the_focus_back(reading: Reading, fleet: Fleet) -> None:
    page = reading(fleet.olga).open("/runs")
    page.locator(".button", has_text="Filter").focus()
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.locator(".button", has_text="Filter")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("theme dark")
    expect(page.locator("#palette-list [role=option]")).to_have_count(1)
    with page.expect_response("**/theme"):
        page.keyboard.press("Enter")
    expect(page.locator("html[data-theme=dark]")).to_have_count(1)
    page.keyboard.press("Control+k")
    page.keyboard.type("matrix")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/matrix$"))


def test_what_nothing_fits_is_asked_on_the_search_page(reading: Reading, fleet: Fleet) -> None:
    page = reading(fleet.olga).open("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("zzz")
    expect(page.locator("[data-palette-told]")).to_have_text("Nothing has this in its name.")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Nothing here has “zzz” in its name.")


def test_letters_go_to_pages_and_brackets_to_problems(reading: Reading, fleet: Fleet) -> None:
    page = reading(fleet.olga).open("/runs")
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page).to_have_url(re.compile("/history$"))
    page.keyboard.press("/")
    expect(page.locator("[data-filter] select").first).to_be_focused()
    page.goto(page.url.replace("/history", "/style"))
    page.keyboard.press("]")
    expect(page.locator("tr[data-problem] a", has_text="0017")).to_be_focused()
    page.keyboard.press("]")
    expect(page.locator("tr[data-problem] a", has_text="0016")).to_be_focused()
    page.keyboard.press("[")
    expect(page.locator("tr[data-problem] a", has_text="0017")).to_be_focused()


def test_help_lists_the_keys_of_the_page_and_the_switch_is_remembered(reading: Reading) -> None:
    page = style(reading)
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    expect(page.locator("[data-keys-here]")).to_contain_text("verify now")
    page.locator("[data-keys-switch]").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_hidden()
    page.reload()
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()


def test_a_page_whose_polling_fails_says_since_when_and_recovers(reading: Reading, fleet: Fleet) -> None:
    page = reading(fleet.olga).open(f"/runs/{fleet.running.pk}")
    expect(page.locator("[data-asof]")).to_contain_text("· live", timeout=10_000)
    page.route("**/live?**", lambda route: route.abort())
    expect(page.locator("[data-asof]")).to_contain_text("stale since", timeout=10_000)
    expect(page.locator("html.stale")).to_have_count(1)
    assert grave(page) == []
    page.unroute("**/live?**")
    expect(page.locator("[data-asof]")).to_contain_text("as of", timeout=10_000)
    expect(page.locator("html.stale")).to_have_count(0)


def test_on_paper_it_is_black_on_white_without_the_frame(reading: Reading) -> None:
    page = style(reading, theme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    grounds = (
        "() => [...document.querySelectorAll('.notice.bad, .banner')].map(e => getComputedStyle(e).backgroundColor)"
    )
    assert set(page.evaluate(grounds)) == {"rgb(255, 255, 255)"}
    page.set_viewport_size({"width": 700, "height": 900})
    for code in page.locator(".sql ol, .diff ol").all():
        assert code.evaluate("e => e.scrollWidth - e.parentElement.clientWidth") <= 1
    expect(page.locator("header.bar")).to_be_hidden()
    expect(page.locator("#sql-sample")).to_be_visible()
