"""What a window asks the server by itself; silence is proven by letting the page's own clock run on."""

from __future__ import annotations

from playwright.sync_api import Page

from migrations_app.models import Run

LONG_MS = 20_000  # ten polls of a run's page
_HIDDEN = """hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
  document.dispatchEvent(new Event('visibilitychange')); }"""


def hide(page: Page) -> None:
    page.evaluate(_HIDDEN, True)


def wake(page: Page) -> None:
    page.evaluate(_HIDDEN, False)


def requests_to(page: Page, part: str) -> list[str]:
    """Filled from now on with the addresses asked that hold `part`."""
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url) if part in request.url else None)
    return seen


def polls_of(page: Page, run: Run) -> list[str]:
    return requests_to(page, f"/runs/{run.pk}/")


def silent_for(page: Page, run: Run, milliseconds: int = LONG_MS) -> None:
    """Nothing is asked of the run while the page believes that so much time passes.

    The page's clock must have been installed before it was opened. A request of our own comes after all others.
    """
    asked = polls_of(page, run)
    page.clock.run_for(milliseconds)
    with page.expect_response("**/services"):
        page.evaluate("() => { fetch('/services'); }")
    assert asked == []
