"""A page that is asked to wait does: it counts down, polls no sooner, keeps its figures, and repeats no change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from playwright.sync_api import Request, Route, expect

from migrations_app.health.breaker import BreakerOpen
from tests.browser.axe import grave
from tests.browser.conftest import Reading
from tests.browser.fleet import make_fleet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIVE = "**/live"
REFUSED = {"Retry-After": "20", "X-Lockstep-Code": "CIRCUIT_BREAKER_OPEN"}

# What `ask` does when each attempt is answered like this: how often it asks, and after how many milliseconds each time.
ASK = """async ({ method, headers, status, told, body, most }) => {
  const [asked, waits] = [[], []];
  const real = [window.fetch, window.setTimeout];
  window.setTimeout = (go, after) => { waits.push(after); queueMicrotask(go); };
  window.fetch = async (url, options) => {
    asked.push(options.headers.get("X-Retry-Attempt"));
    if (!status) throw new TypeError("no answer");
    const kind = body && { "Content-Type": "application/json" };
    return new Response(body ? JSON.stringify(body) : "", { status, headers: { ...told, ...kind } });
  };
  try { await window.lockstep.ask("/anything", { method, headers, most }); } catch { /* no answer is one as well */ }
  [window.fetch, window.setTimeout] = real;
  return { asked, waits };
}"""


def code(name: str, wait: int = 0) -> dict[str, Any]:
    return {"status": 503, "told": {"X-Lockstep-Code": name, **({"Retry-After": str(wait)} if wait else {})}}


def body(name: str, wait: int) -> dict[str, Any]:
    return {"status": 503, "body": {"error": {"code": name}, "meta": {"retry_after_seconds": wait}}}


CASES: list[tuple[dict[str, Any], list[int]]] = [
    ({"status": 200}, []),
    ({"status": 0}, [1000, 2000, 4000]),
    ({"status": 500}, [1000, 2000, 4000]),
    ({"status": 504, "told": {"Retry-After": "9"}}, [1000, 2000, 4000]),
    ({"status": 503}, [3000, 3000, 4000]),
    ({"status": 503, "told": {"Retry-After": "9"}}, [9000, 9000, 9000]),
    (code("DB_CONNECTION_FAILED", 1), [1000, 2000, 4000]),
    (code("DB_POOL_EXHAUSTED", 5), []),
    (code("CIRCUIT_BREAKER_OPEN", 1), [3000]),
    (code("CIRCUIT_BREAKER_OPEN", 30), [30000]),
    (body("CIRCUIT_BREAKER_OPEN", 12), [12000]),
    (body("DB_POOL_EXHAUSTED", 5), []),
    ({"status": 429, "told": {"Retry-After": "2"}}, [2000, 2000, 4000]),
    ({"status": 400}, []),
    ({"status": 409}, []),
    ({"status": 500, "most": 1}, [1000]),
    ({"status": 500, "method": "POST"}, []),
    ({"status": 0, "method": "POST"}, []),
    ({"status": 500, "method": "POST", "headers": {"Idempotency-Key": "a"}}, [1000, 2000, 4000]),
]


def test_who_asks_again_waits_as_told_and_repeats_no_change(reading: Reading) -> None:
    page = reading(make_fleet().olga).open("/")
    for case, waits in CASES:
        told = page.evaluate(ASK, case)
        assert told["waits"] == waits, case
        assert told["asked"] == [None, *(str(again) for again in range(1, len(waits) + 1))], case


def test_an_open_page_polls_no_sooner_than_it_is_asked_to(reading: Reading) -> None:
    reader = reading(make_fleet().olga)
    reader.page.clock.install()
    page = reader.open("/")
    page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=1))
    polls: list[Request] = []
    page.on("request", lambda request: polls.append(request) if "/live" in request.url else None)
    figures = page.locator("main h1, main a")
    shown = figures.all_inner_texts()

    def refuse(route: Route) -> None:
        route.fulfill(status=503, headers=REFUSED, body="")

    page.route(LIVE, refuse)
    with page.expect_response(LIVE):
        page.clock.run_for(6000)
    line = page.locator("[data-asof]")
    expect(line).to_contain_text("stale since")
    page.clock.run_for(1000)
    expect(line).to_contain_text("· again in 1")
    # The poll was somewhere in the first six seconds: where, the page's own clock knows.
    left = int((line.text_content() or "").partition("· again in ")[2].split()[0])
    assert 13 <= left <= 19
    page.clock.run_for(10_000)
    expect(line).to_contain_text(f"· again in {left - 10} s")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.run_for((left - 12) * 1000)
    assert len(polls) == 1
    assert figures.all_inner_texts() == shown
    page.unroute(LIVE, refuse)
    with page.expect_response(LIVE) as answered:
        page.clock.run_for(8000)
    assert answered.value.request.headers["x-retry-attempt"] == "1"
    expect(line).to_contain_text("· live")
    expect(page.locator("html.stale")).to_have_count(0)


def test_the_page_of_an_outage_counts_down_to_when_it_may_be_tried_again(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = make_fleet()

    def refused(*_: object) -> None:
        raise OperationalError("refused") from BreakerOpen(29.5)

    reader = reading(fleet.olga)
    reader.page.clock.install()
    with monkeypatch.context() as patch:
        patch.setattr("dashboard.access.service_for", refused)
        page = reader.open("/services/orders")
    assert grave(page) == []
    page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=1))
    again = page.get_by_role("link", name="Try again")
    expect(page.locator("h1")).to_contain_text("it is left alone for a while.")
    expect(page.locator("main")).to_contain_text("Try again in 30 seconds.")
    expect(again).to_have_attribute("aria-disabled", "true")
    again.click(force=True)
    page.clock.run_for(20_000)
    assert int(page.locator("[data-countdown]").inner_text().split()[1]) <= 9
    page.clock.run_for(10_000)
    expect(again).to_have_attribute("aria-disabled", "false")
    again.click()
    expect(page.locator("h1")).to_contain_text("orders:")
    assert [line for line in reader.complaints if "503" not in line] == []
