"""A release on its way to Ready, in the browsers of three people; what time does to an open page; paper and keys."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from playwright.sync_api import Page, expect

from migrations_app.models import GateEvidence, GateSignature, Release
from tests.browser.axe import grave
from tests.browser.conftest import Reading
from tests.browser.polls import wake
from tests.edge.gates import People, make_gated, make_people
from tests.releases.gates.rows import put
from tests.releases.gates.shapes import CHECKS, report, report_all, sign

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "/services/orders/releases/2.0"
POLLED_MS = 20_000


def start() -> tuple[People, Release]:
    people = make_people()
    return people, make_gated(people)


def quiet(*pages: Page) -> None:
    """Nothing is asked any more, and nothing that was asked is still on its way when the test ends."""
    for page in pages:
        page.evaluate("() => { for (const part of document.querySelectorAll('[data-poll]')) part.remove(); }")
        page.wait_for_load_state("networkidle")


def sign_here(page: Page, title: str, comment: str = "") -> None:
    page.locator("#comment").fill(comment)
    page.get_by_role("button", name=re.compile(rf"^Sign gate \d: {title}")).click()
    expect(page.locator("main [role=status]").first).to_contain_text("signed")


def test_three_people_bring_a_release_to_ready(reading: Reading) -> None:
    people, release = start()
    olga, ann, omar = reading(people.olga), reading(people.ann), reading(people.omar)
    hers = olga.open(PAGE)
    expect(hers.locator("h1")).to_have_text("Not ready for cutover: two of two gates block.")

    # Olga reports by hand what no build did; of one check nothing is shown, and Omar asks to go without it.
    for gate, check in CHECKS:
        if check == "manifest":
            continue
        hers.goto(f"{olga.base}/services/orders/release-evidence/{gate}/{check}/2.0")
        hers.locator("#id_status").select_option("pass")
        hers.locator("#id_summary").fill("it holds")
        hers.get_by_role("button", name="Record it").click()
        hers.wait_for_url("**/releases/2.0#gate-*")
    his = omar.open(PAGE)
    his.locator("#row-build").click()
    his.get_by_role("link", name="Ask for an exemption from build/manifest").click()
    his.locator("#id_reason").fill("the mirror is down today")
    his.get_by_role("button", name="Ask for it").click()
    expect(his.locator("h1")).to_contain_text("without build/manifest")
    answer = ann.open(his.url.removeprefix(omar.base))
    answer.get_by_role("button", name="Approve it").click()
    expect(answer.locator(".chip.warn")).to_have_text("Exempted")

    # Olga may not sign what she registered.
    hers = olga.open(PAGE)
    expect(hers.locator("#sign_why")).to_have_text("You registered this release, and nobody signs their own.")
    expect(hers.locator("#sign form")).to_have_count(0)

    # Ann signs; then other evidence comes, her open page tells it, and her signature is void.
    page = ann.open(f"{PAGE}?sign=tests")
    sign_here(page, "Tests", "read the report")
    expect(page.locator("#row-tests .signs")).to_contain_text("1 of 2: ann")
    report(release, people.olga, "tests", "unit")
    wake(page)
    expect(page.locator("#row-tests .signs")).to_have_text("0 of 2", timeout=POLLED_MS)
    page.locator("#row-tests").click()
    expect(page.locator("#gate-tests .signatures")).to_contain_text("Superseded: there is other evidence")

    page = ann.open(f"{PAGE}?sign=tests")
    sign_here(page, "Tests")
    his = omar.open(f"{PAGE}?sign=tests")
    sign_here(his, "Tests")
    sign_here(his, "Build")
    wake(page)
    expect(page.locator("h1")).to_have_text("Ready for cutover: both gates pass.", timeout=POLLED_MS)
    expect(page).to_have_title("✓ Ready: 2.0 of orders – Lockstep")
    quiet(hers, page, his)
    assert GateSignature.objects.count() == 4
    assert olga.complaints == ann.complaints == omar.complaints == []


def test_without_javascript_it_is_read_and_signed(reading: Reading) -> None:
    people, release = start()
    report_all(release, people.olga)
    page = reading(people.ann, width=320, javascript=False).open(f"{PAGE}?sign=build")
    page.locator("#row-build").click()
    expect(page.locator("#check-build-assets")).to_contain_text("The assets build")
    sign_here(page, "Build", "seen")
    expect(page.locator("#row-build .signs")).to_have_text("ann")
    assert GateSignature.objects.get().comment == "seen"


def test_a_check_turns_stale_before_the_eyes_and_a_comment_stays(reading: Reading) -> None:
    people, release = start()
    report_all(release, people.olga)
    put(GateEvidence(
        release=release, gate_key="tests", check_key="unit", status="pass", source="posted", producer="ci",
        summary="it passed", identity="soon", at=Now() - timedelta(hours=2) + timedelta(seconds=4),
    ))  # fmt: skip
    reader = reading(people.ann)
    page = reader.open(f"{PAGE}?sign=build")
    expect(page.locator("#row-tests .stands")).to_have_text("Needs sign-off")
    page.locator("#row-build").click()
    page.locator("#comment").fill("half a sentence")
    expect(page.locator("#row-tests .stands")).to_have_text("Blocks", timeout=POLLED_MS)
    expect(page.locator("#gate-tests .sub")).to_contain_text("Last shown 2 h ago by ci; the limit is 2 h.")
    expect(page.locator("h1")).to_have_text("Not ready for cutover: two of two gates block.")
    expect(page.locator("#comment")).to_be_focused()
    expect(page.locator("#comment")).to_have_value("half a sentence")
    expect(page.locator("#open-build")).to_have_attribute("open", "")
    quiet(page)
    assert reader.complaints == []


def test_keys_open_a_gate_and_lead_to_the_sign_off(reading: Reading) -> None:
    people, release = start()
    report_all(release, people.olga)
    page = reading(people.ann).open(PAGE)
    quiet(page)
    page.keyboard.press("2")
    expect(page.locator("#open-tests")).to_have_attribute("open", "")
    page.keyboard.press("s")
    expect(page.locator("#comment")).to_be_focused()
    page.locator("h1").click()
    page.keyboard.press("g")
    page.keyboard.press("g")
    expect(page.locator("h1")).to_have_text("Releases")


def test_on_paper_every_gate_is_open_and_every_hash_whole(reading: Reading) -> None:
    people, release = start()
    report_all(release, people.olga)
    signed = sign(release, "build", people.ann)
    page = reading(people.omar).open(PAGE)
    quiet(page)
    expect(page.locator("#check-build-assets")).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator("#check-build-assets")).to_be_visible()
    expect(page.locator("#gate-build .signatures .onpaper")).to_be_visible()
    expect(page.locator("#gate-build .signatures .onpaper")).to_have_text(signed.evidence_hash)
    expect(page.locator("#sign")).to_be_hidden()
    expect(page.locator(".frame > .nav")).to_be_hidden()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (320, "dark")])
def test_axe_finds_nothing_grave(reading: Reading, width: int, theme: str) -> None:
    people, release = start()
    report(release, people.olga, "build", "asset")
    report(release, people.olga, "tests", "unit")
    page = reading(people.ann, width=width, theme=theme).open(PAGE)
    quiet(page)
    for key in ("build", "tests"):
        page.locator(f"#row-{key}").click()
    page.locator("#sign summary").click()
    assert grave(page) == []
