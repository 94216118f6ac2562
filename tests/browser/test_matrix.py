"""The matrix in a real browser: keys, remarks, picked columns, folds and polling; both themes, wide and narrow."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from migrations_app.models import AppliedRevision, Environment, Revision, Run, RunStep, Service
from migrations_app.permissions import OPERATOR
from tests.browser.axe import grave
from tests.browser.conftest import Reader, Reading
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_run, make_service
from tests.edge.people import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REVISIONS = 24
# name, stage, how many revisions are applied
PLACES = (
    ("dev-1", "dev", 24), ("dev-2", "dev", 24), ("staging-eu", "staging", 20), ("staging-us", "staging", 18),
    ("prod-eu", "prod", 12), ("prod-us", "prod", 10), ("prod-ap", "prod", 8),
)  # fmt: skip
WINDOWS = (
    *((width, theme, False) for width in (1440, 320) for theme in ("light", "dark")),
    *((1440, "dark", True), (320, "light", True)),
)
FOCUSED = """() => { const e = document.activeElement; const cell = e.closest('td, th');
  return [cell.parentElement.querySelector('th').innerText.trim().slice(0, 4), cell.cellIndex]; }"""
STOPS = "() => document.querySelectorAll('#matrix table [tabindex=\"0\"]').length"
COVERED = """() => { const box = document.activeElement.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const focus = document.activeElement;
  return !(top === focus || focus.contains(top) || top.contains(focus)); }"""

HEAVY = """() => [...document.querySelectorAll('#matrix tbody td')].filter(td => [td, ...td.children].some(e => {
  const [own, before] = [getComputedStyle(e), getComputedStyle(e, '::before')];
  return own.position !== 'static' || own.maskImage !== 'none' || own.clipPath !== 'none' || own.opacity !== '1'
    || before.content !== 'none' || own.backgroundImage === 'none' && e.matches('td.A, a');
})).map(td => td.outerHTML)"""


@pytest.fixture
def olga() -> User:
    olga = person("olga", OPERATOR)
    service = make_service(olga)
    for position in range(1, REVISIONS + 1):
        make_revision(service, position)
    for order, (name, stage, head) in enumerate(PLACES):
        place = make_environment(service, name, stage, order)
        for seq in range(1, head + 1):
            make_receipt(place, seq)
    now = timezone.now()
    Environment.objects.update(reachability="ok", checked_at=now, reconciled_at=now)
    run = make_run(Environment.objects.get(name="prod-us"), olga, status="failed", from_revision="0010_step")
    RunStep.objects.filter(run=run).update(revision_id="0011_step", status="failed")
    return olga


def crowd(olga: User) -> None:
    """Sixty more environments with long names, some of them odd."""
    service = Service.objects.get()
    for number in range(60):
        place = make_environment(service, f"edge-region-{number:02}-with-a-name", "edge", 100 + number)
        for seq in range(1, 4 + number % 5):
            make_receipt(place, seq)
    AppliedRevision.objects.filter(environment__name__startswith="edge-region-07", seq=2).update(checksum="sha256:x")
    Run.objects.filter(environment__name="prod-ap").delete()
    Revision.objects.filter(position=20).update(schema_rev="sc-with-a-rather-long-name")


def cell(page: Page, environment: str, revision: str) -> str:
    return f'#matrix td a[aria-label^="{environment}, revision {revision}"]'


@pytest.mark.parametrize(("width", "theme", "large"), WINDOWS)
def test_it_fits_every_window_and_axe_finds_nothing_grave(
    reading: Reading, olga: User, width: int, theme: str, large: bool
) -> None:
    if large:
        crowd(olga)
    reader = reading(olga, width=width, theme=theme)
    for path in (
        "/matrix",
        "/matrix?mode=all&fold=prod&compare=dev-1",
        "/matrix?mode=drift",
        "/matrix/diff?service=orders&a=dev-1&b=prod-ap",
        "/matrix/orders/0011_step/prod-us",
    ):
        page = reader.open(path)
        assert page.locator("h1").count() == 1, path
        assert reader.sideways() <= 0, path
        assert grave(page) == [], path
    assert reader.complaints == []


def test_the_grid_is_one_stop_for_tab_and_walked_with_arrows(reading: Reading, olga: User) -> None:
    reader = reading(olga)
    page = reader.open("/matrix")
    assert page.evaluate(STOPS) == 1
    page.locator(cell(page, "staging-eu", "0024")).focus()
    for key, place in (
        ("ArrowRight", ["0024", 4]), ("ArrowDown", ["0023", 4]), ("Home", ["0023", 0]), ("End", ["0023", 7]),
        ("ArrowLeft", ["0023", 6]), ("ArrowUp", ["0024", 6]), ("Control+End", ["behi", 7]),
        ("Control+Home", ["0024", 0]), ("PageDown", ["0014", 0]), ("PageUp", ["0024", 0]),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert page.evaluate(FOCUSED) == place, key
        assert page.evaluate(STOPS) == 1, key
        assert page.evaluate(COVERED) is False, key
    assert reader.complaints == []


def test_tab_leaves_the_grid_and_comes_back_to_where_it_was(reading: Reading, olga: User) -> None:
    page = reading(olga).open("/matrix")
    page.locator(cell(page, "staging-eu", "0023")).focus()
    page.keyboard.press("Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('table[role=grid]'))") is False
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(FOCUSED) == ["0023", 3]


def test_sticky_heads_never_cover_the_focus_in_a_crowd(reading: Reading, olga: User) -> None:
    crowd(olga)
    page = reading(olga, width=800).open("/matrix?mode=all")
    page.locator("#matrix tbody td a").first.focus()
    for key in ("Control+End", "PageUp", "PageUp", "ArrowLeft", "Home", "Control+Home", "End", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
        assert page.evaluate(COVERED) is False, key


def test_jumps_go_to_the_next_cell_that_is_not_applied(reading: Reading, olga: User) -> None:
    page = reading(olga).open("/matrix")
    page.keyboard.press("]")
    assert page.evaluate(FOCUSED) == ["0024", 3]
    for _ in range(5):
        page.keyboard.press("]")
    assert page.evaluate(FOCUSED) == ["0023", 3]
    page.keyboard.press("[")
    assert page.evaluate(FOCUSED) == ["0024", 7]
    page.get_by_role("button", name="Next cell that is not applied").click()
    assert page.evaluate("document.activeElement.closest('td') !== null")
    page.keyboard.press("?")
    expect(page.locator("[data-keys-here]")).to_contain_text("next cell that is not applied")


def test_a_remark_opens_on_focus_and_hover_and_escape_closes_it(reading: Reading, olga: User) -> None:
    reader = reading(olga)
    page = reader.open("/matrix")
    page.locator(cell(page, "prod-us", "0011")).focus()
    tip = page.locator("#tip")
    expect(tip).to_contain_text("prod-us, revision 0011_step: failed")
    expect(tip).to_contain_text("compared with its target")
    expect(tip).to_contain_text("newest run:")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.locator("#matrix td.A").nth(3).hover()
    expect(tip).to_contain_text("checksum")
    expect(tip).to_contain_text("by olga")
    assert reader.complaints == []


def test_a_pointer_at_rest_leaves_the_remark_to_the_focus(reading: Reading, olga: User) -> None:
    page = reading(olga).open("/matrix?mode=all")
    page.locator(cell(page, "prod-us", "0011")).hover()
    tip = page.locator("#tip")
    expect(tip).to_contain_text("prod-us, revision 0011_step")
    page.locator("#matrix tbody td > a").last.focus()
    for _ in range(8):
        page.keyboard.press("ArrowUp")
        revision, column = page.evaluate(FOCUSED)
        if page.evaluate("document.activeElement.dataset.tip !== undefined"):
            expect(tip).to_contain_text(f"revision {revision}")
        assert page.evaluate(COVERED) is False, (revision, column)


def test_what_of_a_column_lies_behind_the_headings_is_not_lit(reading: Reading, olga: User) -> None:
    crowd(olga)
    page = reading(olga, width=600).open("/matrix?mode=all")
    page.locator("#matrix tbody td > a").first.focus()
    column = page.locator(".light.column.focused")
    expect(column).to_have_css("clip-path", "inset(0px 0px 0px 0%)")
    page.evaluate("document.querySelector('.matrix').scrollLeft = 4000")
    expect(column).to_have_css("clip-path", "inset(0px 0px 0px 100%)")


def test_two_picked_columns_lead_to_what_differs(reading: Reading, olga: User) -> None:
    page = reading(olga).open("/matrix")
    page.locator(cell(page, "staging-eu", "0023")).focus()
    page.keyboard.press("v")
    expect(page.locator("#matrix th.picked")).to_have_attribute("data-env", "staging-eu")
    expect(page.locator("#matrix th.picked")).to_have_css("display", "table-cell")
    expect(page.locator("[data-announcer]")).to_contain_text("staging-eu is picked")
    page.keyboard.press("End")
    page.keyboard.press("v")
    expect(page.locator("h1")).to_have_text("Twelve revisions differ between staging-eu and prod-ap.")
    page.go_back()
    page.locator('#matrix th[data-env="dev-1"]').click(modifiers=["Shift"])
    page.locator('#matrix th[data-env="prod-eu"]').click(modifiers=["Shift"])
    expect(page.locator("h1")).to_have_text("Twelve revisions differ between dev-1 and prod-eu.")


def test_a_poll_that_finds_nothing_new_leaves_the_page_as_it_is(reading: Reading, olga: User) -> None:
    page = reading(olga).open("/matrix")
    page.evaluate("window.touched = 0; new MutationObserver(() => { window.touched += 1; }).observe("
                  "document.querySelector('main'), {subtree: true, childList: true, attributes: true})")  # fmt: skip
    with page.expect_response("**/matrix/window?**", timeout=15_000) as answer:
        pass
    assert answer.value.status == 304
    expect(page.locator("[data-asof]")).to_contain_text("live")
    assert page.evaluate("window.touched") == 0


def test_a_poll_draws_what_is_new_and_keeps_focus_and_scroll(reading: Reading, olga: User) -> None:
    crowd(olga)
    reader = reading(olga)
    page = reader.open("/matrix")
    page.locator(cell(page, "prod-ap", "0009")).focus()
    left = page.evaluate("document.querySelector('.matrix').scrollLeft")
    make_receipt(Environment.objects.get(name="prod-eu"), 13)
    expect(page.locator(cell(page, "prod-eu", "0013"))).to_have_count(0, timeout=15_000)
    assert page.evaluate(FOCUSED) == ["0009", 7]
    assert page.evaluate("document.querySelector('.matrix').scrollLeft") == left
    assert page.evaluate(STOPS) == 1
    assert reader.complaints == []


def test_a_poll_brings_the_sentence_and_the_tabs_and_keeps_the_focus_on_a_tab(reading: Reading, olga: User) -> None:
    reader = reading(olga)
    page = reader.open("/matrix")
    page.get_by_role("link", name="All 24").focus()
    make_revision(Service.objects.get(), REVISIONS + 1)
    make_receipt(Environment.objects.get(name="prod-ap"), 9)
    Environment.objects.filter(name="dev-1").update(reconcile_note="It differs.")
    expect(page.locator("#matrix-said")).to_contain_text("25 revisions. One target disagrees", timeout=15_000)
    expect(page.get_by_role("link", name="All 25")).to_be_focused()
    expect(page.get_by_role("link", name="Pending on prod 16")).to_be_visible()
    assert page.title().startswith("15 differ – ")
    assert reader.complaints == []


def test_a_poll_that_fails_keeps_the_cells_and_says_since_when(reading: Reading, olga: User) -> None:
    page = reading(olga).open("/matrix")
    page.route("**/matrix/window?**", lambda route: route.abort())
    expect(page.locator("html.stale")).to_have_count(1, timeout=15_000)
    expect(page.locator("[data-asof]")).to_contain_text("stale since")
    assert page.locator("#matrix tbody tr").count() > 10
    page.unroute("**/matrix/window?**")
    expect(page.locator("html.stale")).to_have_count(0, timeout=15_000)


def test_row_and_column_in_hand_are_lit_where_they_are(reading: Reading, olga: User) -> None:
    reader = reading(olga)
    page = reader.open("/matrix")
    here = page.locator("#matrix tbody tr:not(.fold) td").nth(3)
    here.hover()
    _is_lit(page, "pointed", here)
    link = page.locator("#matrix td:not(.A) > a").last
    link.focus()
    _is_lit(page, "focused", link.locator(".."))
    page.locator("#matrix tbody th a").first.hover()
    expect(page.locator(".light.column.pointed")).to_be_hidden()
    page.locator("h1").hover()
    expect(page.locator(".light.pointed:visible")).to_have_count(0)
    page.locator("[data-jump]").first.focus()
    expect(page.locator(".light.focused:visible")).to_have_count(0)
    assert page.evaluate("document.querySelector('.matrix').scrollHeight < 3000")
    assert reader.complaints == []


def _is_lit(page: Page, whose: str, there: Locator) -> None:
    row, column = page.locator(f".light.row.{whose}"), page.locator(f".light.column.{whose}")
    expect(row).to_be_visible()
    expect(column).to_be_visible()
    lit, lit_down, box = row.bounding_box(), column.bounding_box(), there.bounding_box()
    assert lit and lit_down and box
    assert (lit["y"], lit["height"]) == pytest.approx((box["y"], box["height"]), abs=1)
    assert (lit_down["x"], lit_down["width"]) == pytest.approx((box["x"], box["width"]), abs=1)


def test_a_cell_is_one_picture_and_no_layer_of_its_own(reading: Reading, olga: User) -> None:
    """By the thousand, a mask, a hidden box or a position for each costs more than the rest of the page."""
    crowd(olga)
    page = reading(olga).open("/matrix?mode=all")
    assert page.evaluate(HEAVY) == []
    assert page.locator("#matrix td.A").first.text_content() == "applied"


def test_without_javascript_every_view_is_a_link_or_a_form(reading: Reading, olga: User) -> None:
    page = reading(olga, javascript=False).open("/matrix")
    expect(page.locator("[data-grid-tools]")).to_be_hidden()
    page.locator("#matrix th.group a", has_text="prod").click()
    expect(page.locator("#matrix th.folded")).to_contain_text("prod")
    expect(page.locator("#matrix td.roll").first).to_have_text("0/3")
    page.locator("#matrix th.folded a").click()
    page.locator("#choose_a").select_option("dev-1")
    page.locator("#choose_b").select_option("prod-ap")
    page.locator(".tools button", has_text="Compare").click()
    expect(page.locator("h1")).to_have_text("16 revisions differ between dev-1 and prod-ap.")
    page.go_back()
    page.locator(cell(page, "prod-us", "0011")).click()
    expect(page.locator("h1")).to_have_text("0011_step on prod-us: failed.")


def test_the_narrow_window_has_the_list_of_differences(reading: Reading, olga: User) -> None:
    reader: Reader = reading(olga, width=320)
    page = reader.open("/matrix")
    page.get_by_role("link", name="List of differences").click()
    expect(page.locator("#differences")).to_be_in_viewport()
    expect(page.locator("#differences tbody tr").first).to_contain_text("Pending on staging-eu, staging-us, prod-eu")
