import pytest
from tests.browser.fleet import make_fleet
from tests.browser.test_runs import states
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.browser.client import signed_in
from migrations_app.fleet.revisions import put_revision
from migrations_app.models import Run
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (320, "light"), (320, "dark")])
def test_shots(reading, width, theme):
    fleet = make_fleet()
    put_revision(service=fleet.service, revision_id="0004_gone", up="DROP TABLE orders;", by=fleet.olga)
    paths = states(fleet)
    Run.objects.filter(pk=fleet.waiting.pk).update(status="failed")
    paths.append("/services/orders/environments/prod-eu/confirm?direction=up")
    reader = reading(fleet.olga, width=width, theme=theme)
    for n, path in enumerate(paths):
        if theme == "light" and width == 1440:
            client = signed_in(fleet.olga)
            with CaptureQueriesContext(connection) as q:
                client.get(path)
            print(path, len(q))
            if path in ("/runs", f"/runs/{fleet.running.pk}"):
                for x in q: print("   ", x["sql"][:230], x["time"])
        page = reader.open(path)
        page.wait_for_timeout(700)
        page.screenshot(path=f"/tmp/runs-shots/{width}-{theme}-{n:02d}.png", full_page=True)
