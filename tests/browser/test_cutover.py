"""A release is cut over and taken back on real targets: before the eyes of who started it, and without JavaScript."""

from __future__ import annotations

import re

import django_rq
import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from migrations_app.jobs.launcher import QUEUE
from migrations_app.models import Cutover
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.registering import register_release
from tests.browser.conftest import Reading
from tests.conftest import MakeDatabase
from tests.jobs.support import worker
from tests.releases.gates.shapes import SMALL, make_ready
from tests.rollouts.support import Carried, carry, make_carried
from tests.runs.support import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PLAN = "/services/shop/cutover/2.0"
ENDS_WITHIN_MS = 60_000


@pytest.fixture
def carried(target_database: MakeDatabase) -> Carried:
    """With a release whose gates pass."""
    django_rq.get_connection(QUEUE).flushdb()
    carried = make_carried(target_database(), target_database())
    edit_catalogue(service=carried.service, content=SMALL, note="small enough to read", by=person("adam", "admin"))
    release = register_release(service=carried.service, release_id="2.0", schema_rev="sc-2", by=carried.olga).release
    make_ready(release, carried.olga, person("ann", "release-manager"), person("omar", "on-call"))
    return carried


@pytest.fixture
def rita(transactional_db: None) -> User:
    return person("rita", "release-manager", "operator")


def start(page: Page) -> None:
    expect(page.locator("h1")).to_have_text("2.0 can be cut over to two environments.")
    page.get_by_label("is production, type 2.0").fill("2.0")
    page.get_by_role("button", name="Cut over 2.0").click()
    page.wait_for_url("**/cutovers/*")


def take_back(page: Page) -> None:
    page.locator("#act-take-back summary").click()
    page.locator("#reason_take-back").fill("orders are shown twice")
    page.get_by_role("button", name="Take back 2.0").click()


def test_both_steps_are_seen_without_a_reload_and_it_is_taken_back(
    reading: Reading, carried: Carried, rita: User
) -> None:
    reader = reading(rita)
    page = reader.open(PLAN)
    start(page)
    page.evaluate("window.here = true")
    with worker():
        expect(page.locator("h1")).to_contain_text("2.0 is live in both environments", timeout=ENDS_WITHIN_MS)
        expect(page.locator("#live tbody .state")).to_have_text(["Done", "Done"])
        expect(page.locator("#live[hx-trigger]")).to_have_count(0)
        expect(page.locator("#cutover-history")).to_contain_text("Finished the cutover")
        assert page.evaluate("window.here")
        take_back(page)
        expect(page.locator("h1")).to_have_text(
            "2.0 is taken back: both environments stand where they stood before.", timeout=ENDS_WITHIN_MS
        )
    assert carried.heads() == ["0001_a", "0001_a"]
    assert reader.complaints == []


def test_without_javascript_it_goes_the_same_way(reading: Reading, carried: Carried, rita: User) -> None:
    page = reading(rita, width=320, javascript=False).open(PLAN)
    start(page)
    expect(page.locator("h1")).to_have_text(re.compile("^Cutting over 2.0: test-eu"))
    carry(Cutover.objects.get())
    page.reload()
    expect(page.locator("h1")).to_contain_text("2.0 is live in both environments after")
    take_back(page)
    expect(page.locator("h1")).to_contain_text("Taking 2.0 back")
    assert carry(Cutover.objects.get()).status == "rolled_back"
