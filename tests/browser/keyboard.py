"""Hands that only have a keyboard: every stop of Tab must be seen, and what is not reached by it is not there."""

from __future__ import annotations

from playwright.sync_api import Page

MOST_STOPS = 120
# What is wrong with how the focus shows, or nothing: it has a ring, and no sticky part lies over it.
_UNSEEN = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return 'nothing has the focus';
  const told = e.outerHTML.slice(0, 120);
  const ring = element => element && parseFloat(getComputedStyle(element).outlineWidth) > 0
    && getComputedStyle(element).outlineStyle !== 'none';
  const line = element => element && getComputedStyle(element).boxShadow !== 'none';
  if (!e.matches(':focus-visible')) return `the focus does not show on ${told}`;
  if (!ring(e) && !ring(e.closest('.pick')) && !line(e.closest('.ask'))) return `no ring around ${told}`;
  const box = e.getClientRects()[0];
  if (!box) return `the focus is on what is not drawn: ${told}`;
  const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
  const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
  if (left >= right || top >= bottom) return `the focus is outside the window: ${told}`;
  const over = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return over && (e.contains(over) || over.contains(e)) ? '' : `something lies over ${told}`;
}"""
_NAME = """() => { const e = document.activeElement;
  const heading = document.getElementById(e.getAttribute('aria-labelledby'));
  const label = (e.labels && e.labels[0]) || heading || e;
  return (e.getAttribute('aria-label') || label.innerText).replace(/\\s+/g, ' ').trim(); }"""


class Hands:
    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        # Before a page has loaded nothing on it listens yet.
        self.page.wait_for_load_state()
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def at(self) -> str:
        """The name of what has the focus, which can be seen there."""
        wrong = self.page.evaluate(_UNSEEN)
        assert wrong == "", wrong
        name: str = self.page.evaluate(_NAME)
        return name

    def tab_to(self, name: str, key: str = "Tab") -> None:
        """Tab until something whose name begins like this has the focus."""
        passed = []
        for _ in range(MOST_STOPS):
            self.press(key)
            passed.append(self.at())
            if passed[-1].startswith(name):
                return
        raise AssertionError(f"Tab does not reach {name!r}, it came past {passed}")
