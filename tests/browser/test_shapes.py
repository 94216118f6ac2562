"""The bitmaps of the matrix are the shapes they stand for: drawn anew and laid over each other."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page

from tests import shapes

# Browsers smooth edges in their own ways, which is less than this; a stroke of two thirds its width is more.
_LIKE = 2.0
_APART = """async addresses => {
  const [one, other] = await Promise.all(addresses.map(async (address) => {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    canvas.drawImage(picture, 0, 0);
    return canvas.getImageData(0, 0, picture.width, picture.height).data;
  }));
  return one.reduce((sum, value, at) => sum + Math.abs(value - other[at]), 0) / one.length;
}"""


def _apart(page: Page, one: str, other: str) -> float:
    """How far two pictures are from each other, of 255, in the mean of their pixels' channels."""
    apart: float = page.evaluate(_APART, [one, other])
    return apart


def test_bitmaps_look_as_their_shapes_do(browser: Browser) -> None:
    page = browser.new_page()
    kept, anew = shapes.TARGET.read_text(encoding="utf-8"), shapes.sheet(page)
    assert re.sub(r'url\("[^"]+"\)', "", kept) == re.sub(r'url\("[^"]+"\)', "", anew)
    pairs = list(zip(_addresses(kept), _addresses(anew), strict=True))
    assert len(pairs) == len(shapes.CODES) * 2 * 3  # each at two sizes, in three themes
    assert [_apart(page, one, other) for one, other in pairs if _apart(page, one, other) > _LIKE] == []
    page.close()


def test_another_shape_is_seen_to_be_another(browser: Browser) -> None:
    page = browser.new_page()
    shape = _addresses((shapes.STYLES / "shapes.css").read_text(encoding="utf-8"))[0]
    applied, thinner = (shapes.draw(page, shape.replace("='2.2'", f"='{width}'"), 26) for width in (2.2, 1.4))
    assert _apart(page, applied, thinner) > _LIKE
    page.close()


def _addresses(sheet: str) -> list[str]:
    return re.findall(r'url\("([^"]+)"\)', sheet)
