"""Section 10: the matrix of the large fleet in a real browser: when it is painted, and how fast it answers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.bench import signin
from tests.bench.large import LargeFleet
from tests.bench.report import Table, against
from tests.bench.timing import Sample, shown
from tests.bench.web import Site

TITLE = "The matrix in a browser"
_COLUMNS = ("what", "median", "p75", "worst", "target", "verdict")
_PAINT_S, _ANSWER_S = 1.2, 0.1
_ROOT = Path(__file__).resolve().parents[2]
_LEAST_MS = 16  # the browser tells of nothing shorter

_PAINT = """() => new Promise(done => new PerformanceObserver(list => done(list.getEntries().at(-1).startTime))
  .observe({type: 'largest-contentful-paint', buffered: true}))"""
_LISTEN = """() => {
  window.answers = new Map();
  const keep = entry => answers.set(entry.interactionId,
    Math.max(entry.duration, answers.get(entry.interactionId) || 0));
  new PerformanceObserver(list => list.getEntries().filter(entry => entry.interactionId).forEach(keep))
    .observe({type: 'event', durationThreshold: 16, buffered: true});
}"""
_PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
_ANSWERS = "() => new Promise(done => setTimeout(() => done([...answers.values()]), 300))"
_KEYS = ("Tab", "Tab", "Tab", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "j", "j", "k", "]", "[", "End",
         "Home", "PageDown", "PageUp", "?", "Escape")  # fmt: skip


def measure(large: LargeFleet) -> Table:
    path = _chromium()
    if path is None:
        return Table(f"10. {TITLE}", _COLUMNS, (("not measured", "no Chromium here", "", "", "", ""),))
    differs, full = "/matrix?service=marketplace", "/matrix?service=marketplace&mode=all"
    with large.site() as site:
        cookie = signin.operator()
        with _browser(path) as browser:
            rounds = range(large.sizes.browser_rounds)
            painted = {
                name: Sample(tuple(_paint(browser, site, cookie, address) for _ in rounds))
                for name, address in (("what differs", differs), ("a full window", full))
            }
            answers = Sample(tuple(max(_answers(browser, site, cookie, full)) for _ in rounds))
    return Table(
        f"10. {TITLE}",
        _COLUMNS,
        (
            *(_row(f"largest paint, {name}", sample, _PAINT_S) for name, sample in painted.items()),
            _row("slowest answer to a key or click, a full window", answers, _ANSWER_S),
        ),
        (
            f"Chromium, 1440 × 900, {large.sizes.browser_rounds} visits with an empty cache. The verdict is on the "
            "75th percentile of the visits, as Core Web Vitals have it for largest contentful paint and interaction to "
            "next paint. Of each visit the slowest answer counts: the browser's own event times from input to next "
            f"paint over {len(_KEYS) + 1} inputs, each after the paint of the one before; it tells of nothing under "
            f"{_LEAST_MS} ms, which is counted as {_LEAST_MS} ms.",
        ),
    )


def _row(what: str, sample: Sample, target: float) -> tuple[str, ...]:
    usual = sample.quantile(0.75)
    return (what, shown(sample.median), shown(usual), shown(max(sample.seconds)), shown(target), against(target, usual))


def _chromium() -> str | None:
    """Named, on PATH, or what the script for the browser tests finds or installs."""
    named = os.environ.get("LOCKSTEP_TEST_CHROMIUM") or shutil.which("chromium")
    if named:
        return named
    told = subprocess.run(["sh", ".ci/chromium"], cwd=_ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or None


@contextmanager
def _browser(path: str) -> Iterator[Browser]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@contextmanager
def _window(browser: Browser, site: Site, cookie: str) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(viewport={"width": 1440, "height": 900})
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": site.url}])
    yield context.new_page()
    context.close()


def _paint(browser: Browser, site: Site, cookie: str, address: str) -> float:
    """Seconds from the start of the navigation to the largest paint."""
    with _window(browser, site, cookie) as page:
        page.goto(site.url + address, wait_until="networkidle")
        return float(page.evaluate(_PAINT)) / 1e3


def _answers(browser: Browser, site: Site, cookie: str, address: str) -> list[float]:
    """Seconds of each interaction, the untold ones at the least that is told."""
    with _window(browser, site, cookie) as page:
        page.goto(site.url + address, wait_until="networkidle")
        page.evaluate(_LISTEN)
        page.locator("h1").click()
        for key in _KEYS:
            page.evaluate(_PAINTED)  # nobody types faster than they see
            page.keyboard.press(key)
        told = [float(duration) for duration in page.evaluate(_ANSWERS)]
    untold = max(len(_KEYS) + 1 - len(told), 0)
    return [ms / 1e3 for ms in [*told, *[_LEAST_MS] * untold]]
