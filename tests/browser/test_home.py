"""The front page while one looks at it: what changed is changed in place, and nothing else is."""

from __future__ import annotations

import pytest
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import expect

from migrations_app.models import Environment, Run, SchemaDrift
from migrations_app.permissions import ADMIN
from tests.browser.conftest import Reading
from tests.browser.fleet import make_fleet
from tests.edge.fleet import make_environment, make_receipt, make_run, make_service
from tests.edge.people import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATIENCE = 15_000
# What lies over its neighbour in the line of a stage.
OVERLAPS = """() => [...document.querySelectorAll('.stage .tally')].flatMap(tally => {
  const heads = tally.nextElementSibling && tally.nextElementSibling.getBoundingClientRect();
  return !heads ? [] : [...tally.children].map(e => e.getBoundingClientRect())
    .filter(r => r.right > heads.left + 1 && r.left < heads.right)
    .filter(r => r.bottom > heads.top + 1 && r.top < heads.bottom - 1)
    .map(r => r.left);
})"""


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (320, "light"), (320, "dark")])
def test_sixty_environments_fit_the_window(reading: Reading, width: int, theme: str) -> None:
    fleet = make_fleet()
    for number in range(60):
        environment = make_environment(fleet.service, f"place-{number:02d}", f"stage-{number // 15}", order=10 + number)
        make_receipt(environment, 1)
        make_run(environment, fleet.olga, status=("succeeded", "failed")[number % 9 == 4], finished_at=timezone.now())
    reader = reading(fleet.olga, width=width, theme=theme)
    page = reader.open("/")
    assert reader.sideways() <= 0
    assert page.locator(".stage").count() >= 4
    assert page.evaluate(OVERLAPS) == []
    for folded in page.locator(".sheet details").all():
        folded.locator("summary").click()
    assert reader.sideways() <= 0
    assert reader.complaints == []


def test_a_change_is_drawn_and_announced_once_and_the_focus_stays(reading: Reading) -> None:
    fleet = make_fleet()
    Run.objects.filter(pk__in=(fleet.failed.pk, fleet.undecided.pk)).update(status="succeeded")
    Environment.objects.update(reachability="ok", reachability_note="", reconcile_note="", differs_from=None)
    SchemaDrift.objects.all().delete()
    reader = reading(fleet.olga)
    page = reader.open("/")
    link = page.locator("[id^=place-]").first
    link.focus()
    with page.expect_response("**/home/live"):
        pass
    expect(page.locator("[data-asof-live]")).to_have_text("· live")
    expect(page.locator("[data-announcer]")).to_have_text("")
    Run.objects.filter(pk=fleet.running.pk).update(
        status="failed", error={"message": "It broke."}, version=F("version") + 1
    )
    expect(page.locator("h1")).to_have_text("The last run failed on dev.", timeout=PATIENCE)
    expect(page.locator("[data-announcer]")).to_have_text("The last run failed on dev.")
    expect(page).to_have_title("✗ Home – Lockstep")
    expect(page.locator("#chip")).to_contain_text("1 in trouble")
    expect(link).to_be_focused()
    assert reader.complaints == []


def test_an_empty_front_page_fills_itself_when_the_first_environment_comes(reading: Reading) -> None:
    olga = person("olga", ADMIN)
    reader = reading(olga)
    page = reader.open("/")
    expect(page.locator("#first-steps")).to_be_visible()
    expect(page.locator("#running")).to_have_count(0)
    environment = make_environment(make_service(olga))
    expect(page.locator(f"#place-{environment.pk}")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#block-running")).to_contain_text("No run is on the way.")
    expect(page.get_by_role("link", name="Open matrix")).to_be_visible()
    run = make_run(environment, olga)
    expect(page.locator(f"#run-{run.pk}")).to_be_visible(timeout=PATIENCE)
    assert reader.complaints == []


def test_n_leads_to_needs_you_and_j_to_its_first_row(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga).open("/")
    page.keyboard.press("n")
    expect(page.locator("#needs")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(f"#need-run-{fleet.undecided.pk}")).to_be_focused()


def test_a_stage_that_a_reader_opened_stays_open(reading: Reading) -> None:
    fleet = make_fleet()
    for number in range(12):
        make_receipt(make_environment(fleet.service, f"place-{number:02d}", "prod", order=10 + number), 1)
    known = {"head_revision": "0001_orders", "reachability": "ok", "reconciled_at": timezone.now()}
    Environment.objects.filter(name__startswith="place-").update(**known)
    page = reading(fleet.olga).open("/")
    stage = page.locator(".stage details").first
    name = stage.get_attribute("id")
    stage.locator("summary").click()
    Environment.objects.filter(name="dev").update(reconcile_note="Receipt 1 differs.")
    expect(page.locator("#block-needs")).to_contain_text("Receipt 1 differs.", timeout=PATIENCE)
    assert page.locator(f"#{name}").evaluate("e => e.open")
