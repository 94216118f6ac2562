"""Revisions on pages: the chain, the SQL for those who may read it, and uploads that are whole or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from migrations_app.models import Revision, Service
from migrations_app.permissions import VIEWER
from tests.browser.client import heading, signed_in, text
from tests.edge.fleet import make_service
from tests.edge.people import person

pytestmark = pytest.mark.django_db

UP = "-- lockstep: schema_rev sc-1\nCREATE TABLE a (id bigint PRIMARY KEY);\n"
UPLOAD = "/services/orders/upload"


def upload(user: User, **files: Any) -> Any:
    """Offer files; `0001_a__up__sql` is 0001_a.up.sql."""
    offered = [
        SimpleUploadedFile(name.replace("__", "."), body.encode() if isinstance(body, str) else body)
        for name, body in files.items()
    ]
    return signed_in(user).post(UPLOAD, {"files": offered}, follow=True)


def test_files_of_several_revisions_are_stored_together(olga: User, service: Service) -> None:
    page = upload(
        olga,
        **{
            "0001_a__up__sql": UP,
            "0001_a__down__sql": "DROP TABLE a;",
            "0002_b__up__sql": "CREATE INDEX CONCURRENTLY i ON a (id);",
            "0002_b__verify__sql": "SELECT true;",
        },
    )
    assert "2 new, 0 changed, 0 the same as before." in text(page)
    assert heading(page) == "orders has two revisions in one chain."
    assert list(Revision.objects.values_list("revision_id", "parent", "schema_rev")) == [
        ("0001_a", "", "sc-1"),
        ("0002_b", "0001_a", ""),
    ]


def test_every_refusal_is_told_and_nothing_is_stored(olga: User, service: Service) -> None:
    page = upload(
        olga,
        **{
            "0001_a__up__sql": UP,
            "0002_b__up__sql": "CREATE TABEL b;",
            "0003_c__down__sql": "DROP TABLE c;",
            "notes__txt": "hello",
            "0004_d__up__sql": b"\xff\xfe",
        },
    )
    told = text(page)
    assert page.status_code == 422
    assert heading(page) == "Nothing was stored: four refusals."
    assert "0002_b.up.sql:" in told
    assert "0003_c.down.sql: there is no 0003_c.up.sql beside it." in told
    assert "notes.txt: not a revision's file" in told
    assert "0004_d.up.sql: not UTF-8 at byte 1" in told
    assert not Revision.objects.exists()


def test_a_second_upload_of_the_same_bytes_changes_nothing(olga: User, service: Service) -> None:
    upload(olga, **{"0001_a__up__sql": UP})
    assert "0 new, 0 changed, 1 the same as before." in text(upload(olga, **{"0001_a__up__sql": UP}))


def test_hundreds_of_files_are_one_upload_and_too_many_are_told(olga: User, service: Service) -> None:
    page = upload(olga, **{f"{number:04d}_x__up__sql": "SELECT 1" for number in range(1, 151)})
    assert "150 new, 0 changed, 0 the same as before." in text(page)
    page = upload(olga, **{f"{number:04d}_x__up__sql": "SELECT 1" for number in range(1000, 1601)})
    assert page.status_code == 422
    assert "601 files are too many at once; upload at most 600." in text(page)
    assert Revision.objects.count() == 150


def test_an_empty_form_says_what_to_choose(olga: User, service: Service) -> None:
    page = signed_in(olga).post(UPLOAD, {})
    assert page.status_code == 422
    assert "No file was chosen." in text(page)


def test_a_viewer_may_not_upload(service: Service) -> None:
    response = upload(person("vic", VIEWER), **{"0001_a__up__sql": UP})
    assert response.status_code == 403
    assert not Revision.objects.exists()


def test_sql_is_shown_with_line_numbers_to_those_who_may_read_it(olga: User, service: Service) -> None:
    upload(olga, **{"0001_a__up__sql": UP + "COMMENT ON TABLE a IS '<b>&';\n"})
    address = "/services/orders/revisions/0001_a"
    page = signed_in(olga).get(address).content.decode()
    assert '<span class="ln" aria-hidden="true">2</span><span><span class="sql-word">CREATE</span> ' in page
    assert "&lt;b&gt;&amp;" in page
    assert 'class="sql" tabindex="0" role="region"' in page
    assert "irreversible" in page
    vic = text(signed_in(person("vic", VIEWER)).get(address))
    assert "CREATE TABLE" not in vic
    assert "Reading SQL needs one of these roles" in vic


def test_the_neighbours_of_a_revision_are_links(olga: User, service: Service) -> None:
    upload(olga, **{f"000{n}_a__up__sql": UP.replace("TABLE a", f"TABLE a{n}") for n in (1, 2, 3)})
    page = signed_in(olga).get("/services/orders/revisions/0002_a").content.decode()
    assert 'rel="prev" href="/services/orders/revisions/0001_a"' in page
    assert 'rel="next" href="/services/orders/revisions/0003_a"' in page


def test_the_only_service_is_opened_without_asking(olga: User, service: Service) -> None:
    assert signed_in(olga).get("/revisions")["Location"] == "/services/orders/revisions"
    make_service(olga, "second")
    assert "choose one" in heading(signed_in(olga).get("/revisions"))


def test_sql_that_an_eye_would_read_in_another_order_is_marked(olga: User, service: Service) -> None:
    upload(olga, **{"0001_a__up__sql": "SELECT 1; /* \u202e } \u2066if empty\u2069 \u2066 */ SELECT 2;"})
    page = signed_in(olga).get("/services/orders/revisions/0001_a")
    assert "signs that turn its direction (U+202E, U+2066, U+2069)" in text(page)
    upload(olga, **{"0002_b__up__sql": "SELECT 'größer';"})
    assert "turn its direction" not in text(signed_in(olga).get("/services/orders/revisions/0002_b"))


def test_what_a_role_may_not_do_is_there_with_the_reason(service: Service) -> None:
    vic = signed_in(person("vic", VIEWER))
    assert "Upload revisions Needs one of these roles: operator" in text(vic.get("/services/orders/revisions"))
    assert "Add an environment Needs the role admin." in text(vic.get("/services/orders"))
    assert "Add a service Needs the role admin." in text(vic.get("/services"))
