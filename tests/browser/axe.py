"""axe-core on the page as it stands: what it calls serious or critical, one line for each element."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = ("serious", "critical")


def grave(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for violation in found
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
