"""`make screenshots`: the demonstration fleet in a browser, one picture of each page, into docs/screenshots.

It starts an installation of its own, in a folder that is removed afterwards.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from migrations_app.embedded.places import free_port

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "screenshots"
PATIENCE_S = 240.0
WINDOWS = ((1440, 900, "light", ""), (1440, 900, "dark", "-dark"), (320, 700, "light", "-narrow"))

# What a picture is called, and its address.
PAGES = {
    "home": "/",
    "matrix": "/matrix",
    "matrix-all": "/matrix?mode=all",
    "history": "/history",
    "compare": "/history/compare?service={service}&a={first}&b={last}",
    "runs": "/runs",
    "run": "/runs/{run}",
    "log": "/runs/{run}/log",
    "services": "/services",
    "service": "/services/{service}",
    "environment": "/services/{service}/environments/{first}",
    "environment-edit": "/services/{service}/environments/{first}/edit",
    "revisions": "/services/{service}/revisions",
    "upload": "/services/{service}/upload",
    "audit": "/audit",
    "tokens": "/tokens",
    "style": "/style",
}


def main() -> int:
    path = os.environ.get("LOCKSTEP_TEST_CHROMIUM")
    if not path:
        print("There is no Chromium; nothing was taken. `make screenshots` finds or installs one.", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with _installation() as (base, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        words = _words(browser, base, password)
        for width, height, theme, suffix in WINDOWS:
            _take_all(browser, base, password, words, (width, height, theme, suffix))
        browser.close()
    return 0


@contextmanager
def _installation() -> Iterator[tuple[str, str]]:
    """Address and password of a demonstration that runs as long as the block."""
    folder = Path(tempfile.mkdtemp(prefix="lockstep-screenshots-"))
    bind = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "manage.py", "up", "--bind", bind, "--data-dir", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait_for(f"http://{bind}/login", process)
        yield f"http://{bind}", (folder / "first-password").read_text().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"{url} did not answer")


def _words(browser: Browser, base: str, password: str) -> dict[str, str]:
    """The names in the demonstration, and a run to look at: the newest there is."""
    page = _signed_in(browser, base, password, (1440, 900, "light"))
    page.goto(f"{base}/services")
    service = page.locator('main tbody a[href^="/services/"]').first.get_attribute("href") or ""
    page.goto(base + service)
    prefix = f"{service}/environments/"
    places = [link.get_attribute("href") or "" for link in page.locator(f'main a[href^="{prefix}"]').all()]
    page.goto(f"{base}/runs")
    run = page.locator('main tbody a[href^="/runs/"]').first.get_attribute("href") or "/runs/1"
    page.context.close()
    names = list(dict.fromkeys(place.removeprefix(prefix).partition("/")[0] for place in places))
    return {
        "service": service.rpartition("/")[2],
        "first": names[0],
        "last": names[-1],
        "run": run.rpartition("/")[2],
    }


def _take_all(
    browser: Browser, base: str, password: str, words: dict[str, str], window: tuple[int, int, str, str]
) -> None:
    width, height, theme, suffix = window
    page = _signed_in(browser, base, password, (width, height, theme))
    for name, address in PAGES.items():
        page.goto(base + address.format_map(words))
        page.wait_for_load_state("networkidle")
        page.screenshot(path=FOLDER / f"{name}{suffix}.png")
        print(f"  {name}{suffix}.png", flush=True)
    page.context.clear_cookies()
    page.goto(f"{base}/login")
    page.screenshot(path=FOLDER / f"login{suffix}.png")
    page.context.close()


def _signed_in(browser: Browser, base: str, password: str, window: tuple[int, int, str]) -> Page:
    width, height, theme = window
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(f"{base}/login")
    page.fill("#id_username", "admin")
    page.fill("#id_password", password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{base}/")
    return page


if __name__ == "__main__":
    sys.exit(main())
