"""Pages of schemas and contracts without a mouse or with little sight: axe in both themes, a decision by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from migrations_app.models import SchemaDrift
from tests.browser.axe import grave
from tests.browser.conftest import Reading
from tests.browser.fleet import make_fleet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PLACE = "/services/orders/environments/prod-eu/schema"
OBJECT = "/matrix/schema/object?service=orders&kind=index&name=public.orders_id"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_nothing_grave_to_say(reading: Reading, theme: str) -> None:
    reader = reading(make_fleet().olga, theme=theme)
    for path in (PLACE, f"{PLACE}/draft", f"{PLACE}/plan", "/matrix/schema", OBJECT, "/matrix/contracts"):
        assert grave(reader.open(path)) == [], path


def test_a_drift_is_ignored_with_the_keyboard(reading: Reading) -> None:
    page = reading(make_fleet().olga).open(PLACE)
    page.locator("#ignore_reason").focus()
    page.keyboard.type("The team knows of it.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main [role=status]").first).to_contain_text("is ignored until")
    assert SchemaDrift.objects.get().state == "ignored"
