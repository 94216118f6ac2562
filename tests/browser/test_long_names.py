"""Names as long as they may be, with no place to break: no page grows wider than its window and nothing is cut off."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from migrations_app.permissions import ADMIN, OPERATOR, RELEASE_MANAGER
from tests.browser.conftest import Reading
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_run, make_service
from tests.edge.people import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONGEST = 63
# What a reader sees of a name that goes on behind the edge of what holds it.
CUT = """() => [...document.querySelectorAll('main .button, main .seg > *, main .tabs > *, main .lead p, main label')]
  .filter(e => e.checkVisibility())
  .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline'
    || e.getBoundingClientRect().right > e.closest('.sheet, main').getBoundingClientRect().right)
  .map(e => e.outerHTML.slice(0, 160))"""


def cut(page: Page) -> list[str]:
    found: list[str] = page.evaluate(CUT)
    return found


@pytest.mark.parametrize("width", [1440, 1024, 800, 320])
def test_the_longest_names_wrap(reading: Reading, width: int) -> None:
    olga = person("olga", OPERATOR, RELEASE_MANAGER, ADMIN)
    service = make_service(olga, "x" * LONGEST)
    make_service(olga, "y" * LONGEST)
    place = make_environment(service, "e" * LONGEST, "s" * 60)
    make_revision(service, 1, schema_rev="r" * 200)
    make_receipt(place, 1)
    busy = make_environment(service, "b" * LONGEST)
    make_run(busy, olga, status="succeeded")
    reader = reading(olga, width=width)
    at = f"/services/{service.name}/environments/{place.name}"
    for path in (f"{at}/edit", at, f"/matrix?service={service.name}", f"/matrix?service={'y' * LONGEST}",
                 f"/runs?environment={place.name}", f"/services/{service.name}", "/services", "/",
                 "/history", f"/services/{service.name}/revisions", "/find?q=e",
                 *(f"{page}?service={service.name}&a={place.name}&b={busy.name}"
                   for page in ("/history/compare", "/matrix/diff"))):  # fmt: skip
        page = reader.open(path)
        assert (reader.sideways(), cut(page)) == (0, []), path
    assert reader.complaints == []
