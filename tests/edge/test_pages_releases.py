"""The list of releases, and the catalogue of gates with its editor."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User

from migrations_app.models import EnvironmentRelease, GateCatalogue, Release
from migrations_app.releases.gates.catalogues import edit_catalogue
from tests.browser.client import heading, signed_in, text
from tests.edge.fleet import make_environment
from tests.edge.gates import PASSWORD, People, make_gated, make_people
from tests.edge.releases import make_release
from tests.edge.test_pages_gates import later
from tests.releases.gates.shapes import SMALL, report
from tests.runs.support import person

pytestmark = pytest.mark.django_db

OTHER = {"gates": [{"key": "one", "title": "The only one", "checks": [{"key": "a", "title": "It holds"}]}]}


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def release(people: People) -> Release:
    return make_gated(people)


def shown(user: User, path: str) -> str:
    return text(signed_in(user).get(path))


def test_without_a_release_it_says_how_one_comes(people: People) -> None:
    said = shown(people.ann, "/releases")
    assert "No release is registered." in said
    assert "manage.py release register SERVICE RELEASE" in said


SENT = {"service": "orders", "release_id": "2026.11.4", "schema_rev": "sc-10"}
SHA = "ab" * 32


def test_a_release_is_registered_by_hand_with_what_was_built(release: Release, people: People) -> None:
    client = signed_in(people.olga)
    page = client.get("/register-release?service=orders").content.decode()
    assert '<option value="orders" selected>' in page
    sent = SENT | {"commit": "c0ffee", "artefacts": f"{SHA}  shop.tar.gz\r\n\r\n{SHA.upper()} *the image\r\n"}
    assert client.post("/register-release", sent)["Location"] == "/services/orders/releases/2026.11.4"
    made = Release.objects.get(release_id="2026.11.4")
    assert (made.schema_rev_min, made.schema_rev_max, made.commit, made.created_by) == (
        "sc-10", "sc-10", "c0ffee", people.olga,
    )  # fmt: skip
    assert made.artefacts == [["shop.tar.gz", SHA], ["the image", SHA]]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"schema_rev": "sc-99"}, "No revision declares schema_rev &#x27;sc-99&#x27;"),
        ({"release_id": "2.0", "commit": "other"}, "Release 2.0 was registered with"),
        ({"release_id": "two words"}, "is no id of a release"),
        ({"service": ""}, "This field is required."),
        ({"artefacts": "abc  shop.tar.gz"}, "is no line of 64 hexadecimal digits and a name"),
        ({"artefacts": f"{SHA}  a\n{SHA}  a"}, "a stands there twice"),
    ],
)
def test_what_makes_no_sense_is_refused_and_stays_in_the_form(
    release: Release, people: People, fields: dict[str, str], says: str
) -> None:
    refused = signed_in(people.olga).post("/register-release", SENT | {"index_hash": "kept"} | fields)
    assert refused.status_code == 422
    said = refused.content.decode()
    assert says in said
    assert 'value="kept"' in said
    assert Release.objects.count() == 1


def test_who_may_not_register_reads_who_may(release: Release, people: People) -> None:
    vic = person("vic", "viewer")
    assert signed_in(vic).get("/register-release").status_code == 403
    assert "Register a release" in shown(vic, "/releases")
    assert 'href="/register-release' not in signed_in(vic).get("/releases").content.decode()


def test_it_tells_the_stored_state_and_what_runs_where(release: Release, people: People) -> None:
    make_gated(people, "3/0")
    report(release, people.olga, "build", "assets")
    prod = make_environment(release.service, "prod-eu")
    EnvironmentRelease.objects.create(environment=prod, release=release)
    page = signed_in(people.ann).get("/releases")
    said = text(page)
    assert "Draft 3/0 orders sc-10" in said
    assert "Collecting 2.0 orders sc-10 prod-eu" in said
    assert "What runs where one environment" in said
    assert 'href="/services/orders/releases/3/0"' in page.content.decode()


def test_it_is_filtered_and_says_by_what(release: Release, people: People) -> None:
    assert "No release fits this filter." in shown(people.ann, "/releases?status=live")
    assert "2.0" in shown(people.ann, "/releases?service=orders&status=draft")
    assert signed_in(people.ann).get("/releases?status=ready").status_code == 400


def test_it_goes_on_from_where_the_page_ended(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    release = make_gated(people)
    for n in range(50):
        make_release(release.service, people.olga, f"9.{n}", "sc-10")
    page = signed_in(people.ann).get("/releases").content.decode()
    older = page.split('rel="next"')[0].rpartition('href="')[2].split('"')[0]
    assert "2.0" in shown(people.ann, older)


def test_the_catalogue_is_read_as_a_table(people: People) -> None:
    page = signed_in(people.ann).get("/gates")
    assert heading(page) == "Eight gates a release has to pass"
    assert "Nobody has changed what came with Lockstep." in text(page)
    assert not GateCatalogue.objects.exists()


def test_a_service_without_its_own_shows_the_one_for_all(release: Release, people: People) -> None:
    said = shown(people.ann, "/gates?service=orders")
    assert "Two gates a release of orders has to pass" in said
    assert "The tests pass tests/unit reported by a build: ci/unit 2 h blocks" in said
    assert "small enough to read" in said
    assert signed_in(people.ann).get("/gates?service=orders&version=7").status_code == 404


def test_an_admin_saves_another_version(release: Release, people: People) -> None:
    client = signed_in(people.ada)
    form = {"content": json.dumps(OTHER), "note": "one gate is enough", "shown": "1"}
    assert client.post("/gates/edit?service=orders", form)["Location"] == "/gates?service=orders"
    assert "One gate a release of orders has to pass" in text(client.get("/gates?service=orders"))
    assert "Two gates" in text(client.get("/gates?service=orders&version=1"))
    assert "catalogue v1" in shown(people.ann, "/services/orders/releases/2.0")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "This is no JSON: line 1, column 2"),
        ("[" * 100_000, "nested too deeply"),
        ('{"gates": NaN}', "every reader takes alike: NaN is not a JSON number."),
        ('{"gates": [], "gates": []}', "every reader takes alike: a key stands twice in one object."),
        ('{"gates": "\\ud800"}', "half a surrogate pair"),
        ('{"gates": "\\u0000"}', "It holds the character NUL"),
        ('{"gates": []}', "The catalogue has no list of gates."),
        (json.dumps({"gates": [{"key": "X"}]}), "Gate 1 needs a key"),
        (json.dumps(SMALL), "It is version 1 as it stands."),
    ],
)
def test_what_is_no_catalogue_is_refused_and_kept_in_the_form(
    release: Release, people: People, content: str, why: str
) -> None:
    form = {"content": content, "note": "one gate is enough", "shown": "1"}
    answer = signed_in(people.ada).post("/gates/edit?service=orders", form)
    assert answer.status_code == 422
    assert why in text(answer)
    assert GateCatalogue.objects.filter(service=release.service).count() == 1


def test_a_version_that_came_meanwhile_is_not_overwritten(release: Release, people: People) -> None:
    edit_catalogue(service=release.service, content=OTHER, note="came in between", by=people.ada)
    form = {"content": json.dumps(SMALL), "note": "two gates after all", "shown": "1"}
    answer = signed_in(people.ada).post("/gates/edit?service=orders", form)
    assert answer.status_code == 422
    assert "Version 2 was saved while version 1 was being edited." in text(answer)


def test_an_edit_takes_a_password_of_this_moment(release: Release, people: People) -> None:
    client = signed_in(people.ada)
    later(client, 301)
    form = {"content": json.dumps(OTHER), "note": "one gate is enough", "shown": "1"}
    answer = client.post("/gates/edit?service=orders", form)
    assert answer.status_code == 422
    assert "Your password was last asked for" in text(answer)
    assert client.post("/gates/edit?service=orders", {**form, "password": PASSWORD}).status_code == 302
