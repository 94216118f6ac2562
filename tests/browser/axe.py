"""axe-core on the page as it stands: what it calls serious or critical, one line for each element."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = ("serious", "critical")
# What is in order is not described one by one, which takes most of the time on a large page.
ONLY = {"resultTypes": ["violations"]}


def grave(page: Page) -> list[str]:
    found = Axe().run(page, options=ONLY).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for violation in found
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
