"""`make screenshots`: the demonstration fleet in a browser, one picture of each page, into docs/screenshots.

It starts an installation of its own, in a folder that is removed afterwards. Words that are given leave out all
pictures whose name begins otherwise.
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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from playwright.sync_api import Browser, Locator, Page, TimeoutError, sync_playwright

from migrations_app.embedded.places import free_port

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "screenshots"
PATIENCE_S = 480.0
PRACTICE_S = 420.0  # the demonstration's rehearsals and drills, which begin once the pages are there
WAIT_MS = 20_000
WINDOWS = (
    (1440, 900, "light", ""),
    (1440, 900, "dark", "-dark"),
    (320, 700, "light", "-narrow"),
    (320, 700, "dark", "-narrow-dark"),
)

# What a picture is called, and its address.
PAGES = {
    "home": "/",
    "matrix": "/matrix",
    "matrix-all": "/matrix?mode=all",
    "schemas": "/matrix/schema?service={service}",
    "schema-object": "{object}",
    "contracts": "/matrix/contracts?service={service}",
    "matrix-diff": "/matrix/diff?service={service}&a={first}&b={last}",
    "history": "/history",
    "compare": "/history/compare?service={service}&a={first}&b={last}",
    "runs": "/runs",
    "run": "/runs/{run}",
    "log": "/runs/{run}/log",
    "services": "/services",
    "service": "/services/{service}",
    "environment": "/services/{service}/environments/{last}",
    "schema": "/services/{service}/environments/{last}/schema",
    "drift": "/services/{service}/environments/{drifted}/schema",
    "environment-edit": "/services/{service}/environments/{first}/edit",
    "confirm": "{confirm}",
    "environment-back": "/services/{service}/environments/{back}?direction=down",
    "rehearsals": "/rehearsals",
    "rehearsals-clones": "/rehearsals/clones",
    "rehearsal": "/rehearsals/{rehearsal}",
    "rehearsal-log": "/rehearsals/{rehearsal}/log",
    "environment-rehearsed": "/services/{service}/environments/{rehearsed}",
    "rollback-ask": "/services/{service}/environments/{back}/rollback",
    "levers": "/rehearsals/levers?service={service}&environment={rehearsed}",
    "drill": "/rehearsals/drills/{drill}",
    "drill-start": "/rehearsals/drills/start?service={service}&environment={rehearsed}&scenario=schema",
    "drills-compare": "/rehearsals/compare?a={drill}&b={later_drill}",
    "stopwatch": "/rehearsals/drills/{open_drill}/stopwatch",
    "revisions": "/services/{service}/revisions",
    "upload": "/services/{service}/upload",
    "audit": "/audit",
    "workers": "/workers",
    "tokens": "/tokens",
    "style": "/style",
}


def _receipt(page: Page) -> None:
    page.locator("main tbody[data-rows] a[data-open=drawer]").first.click()
    page.locator("dialog.drawer #proof").wait_for()


def _remark(page: Page) -> None:
    page.locator("#matrix td a").first.wait_for()
    page.keyboard.press("]")
    page.locator("#tip", has_text="compared").wait_for()


def _palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("orders")
    page.locator("[data-palette-told]", has_text="found").wait_for()


# What is opened on a page by hand before its picture is taken, in the two windows that differ most.
SCENES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "receipt": ("/history", _receipt),
    "matrix-remark": ("/matrix", _remark),
    "palette": ("/", _palette),
}
SCENE_WINDOWS = (WINDOWS[0], WINDOWS[-1])


def main(only: tuple[str, ...] = ()) -> int:
    """Of all pages, or of those whose picture's name begins so."""
    path = os.environ.get("LOCKSTEP_TEST_CHROMIUM")
    if not path:
        print("There is no Chromium; nothing was taken. `make screenshots` finds or installs one.", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with _installation() as house, sync_playwright() as playwright, ExitStack() as held:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        words = _words(browser, house, held)
        for width, height, theme, suffix in WINDOWS:
            _take_all(browser, house, words, (width, height, theme, suffix), only)
        browser.close()
    return 0


@dataclass(frozen=True)
class House:
    base: str
    password: str
    folder: Path


@contextmanager
def _installation() -> Iterator[House]:
    """A demonstration that runs as long as the block."""
    folder = Path(tempfile.mkdtemp(prefix="lockstep-screenshots-"))
    bind = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "manage.py", "up", "--bind", bind, "--data-dir", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait_for(f"http://{bind}/login", process)
        yield House(f"http://{bind}", (folder / "first-password").read_text().strip(), folder)
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


def _words(browser: Browser, house: House, held: ExitStack) -> dict[str, str]:
    """The names in the demonstration, and a run that waits for a table somebody else uses."""
    page = _signed_in(browser, house, (1440, 900, "light"))
    practised = _practised(page, house)
    page.goto(f"{house.base}/services")
    service = page.locator('main tbody a[href^="/services/"]').first.get_attribute("href") or ""
    page.goto(house.base + service)
    prefix = f"{service}/environments/"
    places = [link.get_attribute("href") or "" for link in page.locator(f'main a[href^="{prefix}"]').all()]
    names = list(dict.fromkeys(place.removeprefix(prefix).partition("/")[0] for place in places))
    run = _waiting_run(page, house, held, prefix, names)
    confirm = _confirmation(page, house, prefix, names)
    page.context.close()
    name = service.rpartition("/")[2]
    return {"service": name, "first": names[0], "last": names[-1], "run": run, "confirm": confirm, **practised}


def _practised(page: Page, house: House) -> dict[str, str]:
    """What the demonstration has practised, once it is done with it; and a drill whose clock is running."""
    until = time.monotonic() + PRACTICE_S
    while time.monotonic() < until:
        page.goto(f"{house.base}/rehearsals")
        drills = [_end(one) for one in page.locator('#drills th a[href^="/rehearsals/drills/"]').all()]
        ended = page.locator("#drills td .state:is(.ok, .warn)").count()
        page.goto(f"{house.base}/rehearsals/clones")
        over = page.locator("#clones tbody tr").count()
        if ended >= 2 and over and not page.locator("#clones .state:is(.run, .wait)").count():
            break
        time.sleep(2)
    rehearsal = page.locator("#clones tbody tr").last
    rehearsed = _end(rehearsal.locator('a[href*="/environments/"]'))
    number = _end(rehearsal.locator("th a"))
    back = _end(page.locator("#clones tbody tr", has_text="the way back").first.locator('a[href*="/environments/"]'))
    page.goto(f"{house.base}/matrix/schema")
    differing = page.locator('a[href^="/matrix/schema/object"]').first.get_attribute("href") or ""
    page.goto(f"{house.base}/")
    drifted = (page.locator('main a[href$="/schema"]').first.get_attribute("href") or "").split("/")[-2]
    return {
        "drill": drills[-1], "later_drill": drills[0], "rehearsal": number, "rehearsed": rehearsed, "back": back,
        "object": differing, "drifted": drifted, "open_drill": _open_drill(page, house, rehearsed),
    }  # fmt: skip


def _end(link: Locator) -> str:
    """The last word of where a link leads."""
    return (link.get_attribute("href") or "").rpartition("/")[2]


def _open_drill(page: Page, house: House, name: str) -> str:
    page.goto(f"{house.base}/rehearsals/drills/start?environment={name}&scenario=application")
    page.fill("#id_trigger_reason", "Before the release of Thursday")
    page.locator("main form button.main", has_text="Prepare").click()
    page.wait_for_url("**/stopwatch")
    page.locator("[data-press] button.main").click()
    page.locator(".rail [aria-current]").wait_for()
    return page.url.split("/")[-2]


def _waiting_run(page: Page, house: House, held: ExitStack, prefix: str, names: list[str]) -> str:
    for name in names:
        page.goto(f"{house.base}{prefix}{name}")
        ahead = page.locator("#to option:not([value])").all_inner_texts()
        if ahead:
            page.goto(f"{house.base}{prefix}{name}?to={ahead[0]}")
        button = page.locator("main form button.main", has_text="Apply")
        if not button.count():
            continue
        held.enter_context(_reading(house, name))
        button.first.click()
        page.wait_for_url("**/runs/*")
        try:
            page.get_by_text("nightly-report").first.wait_for(timeout=WAIT_MS)
        except TimeoutError:
            print(f"  the run on {name} met no lock", flush=True)
        return page.url.rpartition("/")[2]
    raise RuntimeError("every environment of the demonstration is at the newest revision")


def _confirmation(page: Page, house: House, prefix: str, names: list[str]) -> str:
    """The page that asks before something goes which does not come back, on the last stage that has one."""
    for name in reversed(names):
        for direction in ("up", "down"):
            address = f"{prefix}{name}/confirm?direction={direction}"
            page.goto(house.base + address)
            if page.locator("#goes").count():
                return address
    raise RuntimeError("no plan of the demonstration asks for a confirmation")


@contextmanager
def _reading(house: House, name: str) -> Iterator[None]:
    """Somebody's report that reads every table of an environment's target and does not end."""
    address = next(house.folder.rglob(f"shop_{name.replace('-', '_')}*")).read_text().strip()
    with psycopg.connect(address, application_name="nightly-report") as conn:
        tables = conn.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 2200"
        )
        for (table,) in tables.fetchall():
            conn.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")
        yield


def _take_all(
    browser: Browser, house: House, words: dict[str, str], window: tuple[int, int, str, str], only: tuple[str, ...]
) -> None:
    width, height, theme, suffix = window
    page = _signed_in(browser, house, (width, height, theme))
    for name, address in PAGES.items():
        if only and not name.startswith(only):
            continue
        page.goto(house.base + address.format_map(words))
        _take(page, f"{name}{suffix}")
    if only:
        return
    for name, (address, arrange) in SCENES.items() if window in SCENE_WINDOWS else ():
        page.goto(house.base + address)
        arrange(page)
        _take(page, f"{name}{suffix}")
    page.context.clear_cookies()
    page.goto(f"{house.base}/login")
    page.screenshot(path=FOLDER / f"login{suffix}.png")
    page.context.close()


def _take(page: Page, name: str) -> None:
    """Once nothing is being fetched for it any more."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")
    print(f"  {name}.png", flush=True)


def _signed_in(browser: Browser, house: House, window: tuple[int, int, str]) -> Page:
    width, height, theme = window
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(f"{house.base}/login")
    page.fill("#id_username", "admin")
    page.fill("#id_password", house.password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{house.base}/")
    return page


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:])))
