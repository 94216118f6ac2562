"""A worker process carries a run out while two windows look at it: each step is seen at once, and silence follows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import django_rq
import pytest
from playwright.sync_api import Page, expect

from migrations_app.jobs.launcher import QUEUE
from migrations_app.models import Run, RunLogLine, RunStep
from tests.browser.conftest import Reading
from tests.browser.polls import hide, polls_of, silent_for, wake
from tests.conftest import MakeDatabase
from tests.jobs.support import worker
from tests.runs.support import make_fleet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STEPS = 4
SEEN_WITHIN_S = 3.0
ENDS_WITHIN_MS = 60_000
# When each step was first seen in each of its states, and each line of the log, by the clock of this machine.
WATCH = """() => {
  window.seen = {};
  const note = (what) => { window.seen[what] ||= Date.now() / 1000; };
  const look = () => {
    for (const row of document.querySelectorAll('.steplist tbody tr')) {
      note(`step ${row.cells[0].innerText.trim()} ${row.cells[1].innerText.trim()}`);
    }
    for (const line of document.querySelectorAll('#log > li[id]')) note(line.id);
  };
  new MutationObserver(look).observe(document.querySelector('main'), {subtree: true, childList: true});
  look();
}"""


@pytest.fixture
def run(reading: Reading, target_database: MakeDatabase) -> tuple[Run, Page]:
    """Started on its environment's page, which shows it now; no worker is there to take it yet."""
    django_rq.get_connection(QUEUE).flushdb()
    fleet = make_fleet(target_database())
    for n in range(1, STEPS + 1):
        fleet.put(f"000{n}_slow", "SELECT pg_sleep(1);", down="SELECT 1;")
    page = reading(fleet.olga).open("/services/shop/environments/dev-eu")
    page.get_by_role("button", name=re.compile("^Apply four revisions")).click()
    page.wait_for_url("**/runs/*")
    return Run.objects.get(), page


def test_each_step_is_seen_in_a_second_window_and_nothing_is_asked_after_the_end(
    reading: Reading, run: tuple[Run, Page]
) -> None:
    started, starter = run
    second, hidden = reading(started.requested_by), reading(started.requested_by)
    for reader in (second, hidden):
        reader.page.clock.install()
        reader.open(f"/runs/{started.pk}")
    second.page.evaluate(WATCH)
    hide(hidden.page)
    unasked = polls_of(hidden.page, started)
    with worker():
        chip = second.page.locator("#verdict .chip")
        expect(chip).to_have_text("Succeeded", timeout=ENDS_WITHIN_MS)
        expect(starter.locator("#verdict .chip")).to_have_text("Succeeded")
    for page in (second.page, starter):
        expect(page.locator("#told")).to_contain_text("receipt 4")
        expect(page.locator("#told")).not_to_contain_text("yet")
        expect(page.locator("#audited")).to_contain_text("run.succeeded")
    expect(second.page.locator("#log")).to_contain_text(newest_line(started))
    assert late(second.page.evaluate("window.seen"), started) == {}
    silent_for(second.page, started)
    assert unasked == []
    wake(hidden.page)
    expect(hidden.page.locator("#verdict .chip")).to_have_text("Succeeded")
    silent_for(hidden.page, started)
    assert second.complaints == hidden.complaints == []


def newest_line(run: Run) -> str:
    return RunLogLine.objects.filter(run=run).latest("seq").message


def late(seen: dict[str, float], run: Run) -> dict[str, float]:
    """What was seen too long after it happened, or never, with the delay in seconds."""
    delays = {what: seen.get(what, float("inf")) - at.timestamp() for what, at in happened(run, seen)}
    assert sum(what.endswith("Done") for what in delays) == STEPS
    return {what: delay for what, delay in delays.items() if delay > SEEN_WITHIN_S}


def happened(run: Run, seen: dict[str, float]) -> Iterator[tuple[str, datetime]]:
    """The end of each step, its start if it was seen (a step may end between two polls), and each line of the log."""
    for step in RunStep.objects.filter(run=run):
        assert step.started_at and step.finished_at
        yield f"step {step.ordinal} Done", step.finished_at
        if f"step {step.ordinal} Running" in seen:
            yield f"step {step.ordinal} Running", step.started_at
    for line in RunLogLine.objects.filter(run=run):
        yield f"L{line.seq}", line.at
