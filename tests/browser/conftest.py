"""A real Chromium on the served pages; whatever it complains about fails the test."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.waiting import until

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str | None:
    return os.environ.get("LOCKSTEP_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        message = "No Chromium on PATH; install it or name one in LOCKSTEP_TEST_CHROMIUM."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    # Playwright's loop makes Django believe that every call is asynchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=arguments)
        yield started
        started.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def _static_files_as_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django's test server would serve them by itself, before the middleware that does it everywhere else."""
    monkeypatch.setattr(StaticFilesHandler, "_should_handle", lambda self, path: False)


@dataclass
class Reader:
    """Somebody at a browser window; `complaints` is what the console and the policy said."""

    context: BrowserContext
    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def sideways(self) -> int:
        """By how many pixels the page is wider than its window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width


Reading = Callable[..., Reader]


@pytest.fixture
def reading(browser: Browser, live_server: LiveServer) -> Iterator[Reading]:
    """Open a window as somebody: `reading(olga, width=320, theme="dark", javascript=False)`."""
    readers: list[Reader] = []

    def start(user: User | None, *, width: int = 1440, theme: str = "light", javascript: bool = True) -> Reader:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            java_script_enabled=javascript,
            reduced_motion="reduce",  # nothing is looked at while it still moves
        )
        reader = Reader(context, context.new_page(), live_server.url)
        reader.page.on("console", lambda message: _keep(reader, message.type, message.text))
        reader.page.on("pageerror", lambda error: reader.complaints.append(str(error)))
        if user is not None:
            client = Client()
            client.force_login(user)
            for name, morsel in client.cookies.items():
                context.add_cookies([{"name": name, "value": morsel.value, "url": live_server.url}])
        readers.append(reader)
        return reader

    yield start
    for reader in readers:
        reader.context.close()
    # A request that is still being answered would meet the flush of the tables in a deadlock.
    until(lambda: not _answering(), what="the end of the last request")


def _answering() -> bool:
    """Whether the live server has a connection: each has a thread, which Python names after what it runs."""
    return any("process_request_thread" in thread.name for thread in threading.enumerate())


def _keep(reader: Reader, kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        reader.complaints.append(text)
