"""Having a worker look at a check now: by the API, on the page and from a terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from migrations_app.models import GateLook, Release, Service
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.registering import register_release
from tests.edge.caller import Caller, read, refusal

pytestmark = pytest.mark.django_db

UNITS = {
    "gates": [
        {
            "key": "units",
            "title": "Units",
            "checks": [
                {"key": "agree", "title": "They agree", "kind": "command", "settings": {"command": "agree"}},
                {"key": "seen", "title": "Somebody looked", "kind": "manual"},
            ],
        }
    ]
}


@pytest.fixture
def looked_at(release: Release, olga: User, ada: User) -> Release:
    edit_catalogue(service=release.service, content=UNITS, note="what a worker looks at", by=ada)
    service = Service.objects.get(pk=release.service_id)
    return register_release(service=service, release_id="3.0", schema_rev="sc-10", by=olga).release


def test_one_look_is_open_at_a_time(caller: Caller, looked_at: Release) -> None:
    body = {"gate": "units", "check": "agree"}
    first = read(caller.post(f"/releases/{looked_at.pk}/looks", body), 202)
    assert (first["asked_by"], first["started_at"]) == ("olga", None)
    assert read(caller.post(f"/releases/{looked_at.pk}/looks", body), 202)["id"] == first["id"]
    assert GateLook.objects.count() == 1


def test_what_no_worker_looks_at_is_refused(caller: Caller, looked_at: Release) -> None:
    told = refusal(caller.post(f"/releases/{looked_at.pk}/looks", {"gate": "units", "check": "seen"}), 409)
    assert told["code"] == "not_looked_at"
    assert refusal(caller.post(f"/releases/{looked_at.pk}/looks", {"gate": "units", "check": "gone"}), 404)


def test_the_page_has_a_button_for_it(looked_at: Release, olga: User, client: Client) -> None:
    client.force_login(olga)
    page = client.get("/services/orders/releases/3.0").content.decode()
    address = "/services/orders/release-look/units/agree/3.0"
    assert page.count(f'action="{address}"') == 1
    told = client.post(address, follow=True).content.decode()
    assert "A worker looks at units/agree next." in told
    assert GateLook.objects.get().asked_by == olga
    assert (
        "no worker can look at it"
        in client.post("/services/orders/release-look/units/seen/3.0", follow=True).content.decode()
    )


def test_a_terminal_asks_for_it(looked_at: Release) -> None:
    out = StringIO()
    call_command("gates", "look", "orders", "3.0", "units", "agree", "--as", "olga", stdout=out)
    assert f"look {GateLook.objects.get().pk}: a worker looks at units/agree next" in out.getvalue()
    with pytest.raises(CommandError, match="no worker can look at it"):
        call_command("gates", "look", "orders", "3.0", "units", "seen", "--as", "olga")
