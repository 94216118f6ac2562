"""`python -m tests.shapes`: the commonest shapes of matrix cells as bitmaps, drawn into static/css/drawn.css.

A window of the matrix shows thousands of two shapes. Their curves are computed for each cell anew, bitmaps are copied.
A browser draws them, as it draws the shapes elsewhere.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

STYLES = Path(__file__).resolve().parents[1] / "static" / "css"
TARGET = STYLES / "drawn.css"
CODES = "AP"  # applied, pending
SIDE = 13  # pixels, as matrix.css has it
_PICTURE = re.compile(r'--m-([A-Z]): url\("([^"]+)"\);')
_HEAD = (
    "/* Shapes of shapes.css as bitmaps, written by `python -m tests.shapes`; a test compares them. Curves by the "
    "thousand are slow. */\n"
)
# The image must have a size of its own to be drawn at another.
_DRAW = """async ([address, side]) => {
  const picture = new Image(side, side);
  picture.src = address.replace("%3Csvg ", "%3Csvg width='16' height='16' ");
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  canvas.getContext("2d").drawImage(picture, 0, 0, side, side);
  return canvas.toDataURL("image/png");
}"""


def draw(page: Page, address: str, side: int) -> str:
    """A picture of that many pixels a side, as a data: address."""
    drawn: str = page.evaluate(_DRAW, [address, side])
    return drawn


def sheet(page: Page) -> str:
    """shapes.css with its themes as they are, and only the shapes that are drawn."""
    source = (STYLES / "shapes.css").read_text(encoding="utf-8").partition("*/\n")[2]
    lines = []
    for line in source.splitlines():
        found = _PICTURE.search(line)
        if found is None:
            lines.append(line)
        elif found[1] in CODES:
            once, twice = draw(page, found[2], SIDE), draw(page, found[2], 2 * SIDE)
            lines.append(f'  --b-{found[1]}: image-set(url("{once}") 1x, url("{twice}") 2x);')
    return _HEAD + "\n".join([*lines, ""])


def main() -> int:
    path = os.environ.get("LOCKSTEP_TEST_CHROMIUM")
    if not path:
        print("LOCKSTEP_TEST_CHROMIUM does not name a Chromium, so nothing was drawn.", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        TARGET.write_text(sheet(browser.new_page()), encoding="utf-8")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
