"""History: filters in the address, the receipt's page, two environments beside each other, and files."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.cursors import write
from migrations_app.engine.sql.script import SPLITTER
from migrations_app.fleet.history import Cursor
from migrations_app.models import AppliedRevision, Environment, LedgerEntry
from migrations_app.permissions import AUDITOR
from migrations_app.spreadsheet import safe
from tests.browser.client import heading, signed_in, text
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_service
from tests.edge.people import person

pytestmark = pytest.mark.django_db

SCRIPT = {"steps": [], "settings": [], "atomic": False, "splitter": SPLITTER}


@pytest.fixture
def environment(olga: User) -> Environment:
    service = make_service(olga)
    environment = make_environment(service)
    for seq in (1, 2, 3):
        make_revision(service, seq, up_script=SCRIPT)
        make_receipt(environment, seq)
    environment.refresh_from_db()
    return environment


def entry(seq: int) -> LedgerEntry:
    return LedgerEntry.objects.get(seq=seq)


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=x&after=",
        "after=2026-11-20T12:00:00%2B00:00~x",
        "direction=sideways",
        "phase=none",
        "since=soon",
        "anomalies=1",
        "direction=%00",
        "since=%00",
        "after=%00",
        "phase=expand%00",
    ],
)
def test_a_spoilt_address_is_refused_with_a_sentence(olga: User, environment: Environment, query: str) -> None:
    page = signed_in(olga).get(f"/history?{query}")
    assert page.status_code == 400
    assert f"“{query.partition('=')[0]}” in this address is not" in text(page)


@pytest.mark.parametrize(
    ("query", "count"),
    [("phase=expand", 3), ("phase=contract", 0), ("since=2000-01-01T00:00", 3), ("until=2000-01-01T00:00", 0)],
)
def test_kind_and_time_narrow(olga: User, environment: Environment, query: str, count: int) -> None:
    page = signed_in(olga).get(f"/history?{query}")
    assert page.content.decode().count('data-label="Revision"') == count


def test_each_filter_in_force_can_be_taken_away(olga: User, environment: Environment) -> None:
    page = signed_in(olga).get("/history?revision=0002&operator=olga")
    assert 'href="/history?operator=olga"' in page.content.decode()
    assert 'aria-label="Without revision 0002…"' in page.content.decode()


def test_a_time_with_an_offset_is_told_in_utc(olga: User, environment: Environment) -> None:
    page = signed_in(olga).get("/history?since=2000-01-01T20:00:30%2B02:00").content.decode()
    assert "since 2000-01-01 18:00:30 UTC" in page
    assert 'value="2000-01-01T18:00:30"' in page


def test_only_anomalies_shows_what_stands_with_other_bytes(olga: User, environment: Environment) -> None:
    client = signed_in(olga)
    assert "No receipt fits this filter" in text(client.get("/history?anomalies=yes"))
    LedgerEntry.objects.filter(seq=2).update(checksum="sha256:other")
    Environment.objects.update(found_changed=1)
    page = client.get("/history?anomalies=yes").content.decode()
    assert "0002_step" in page
    assert "0001_step" not in page


def test_the_page_of_a_receipt_shows_its_proof_and_its_sql(olga: User, environment: Environment) -> None:
    page = signed_in(olga).get(f"/history/{entry(2).pk}")
    assert heading(page) == "0002_step was applied to orders-eu"
    assert "the bytes stored here" in text(page)
    assert "CREATE TABLE t2" in text(page)


def test_a_viewer_reads_the_proof_without_the_sql(vic: User, environment: Environment) -> None:
    page = signed_in(vic).get(f"/history/{entry(2).pk}")
    assert "CREATE TABLE" not in text(page)
    assert "Reading SQL needs one of these roles" in text(page)


def test_a_receipt_whose_revision_nobody_uploaded_says_so(olga: User, environment: Environment) -> None:
    LedgerEntry.objects.filter(seq=3).update(revision_id="0099_theirs")
    page = signed_in(olga).get(f"/history/{entry(3).pk}")
    assert "this revision is not stored here" in text(page)


def test_two_environments_are_compared_in_words(olga: User, environment: Environment) -> None:
    other = make_environment(environment.service, "orders-us", order=2)
    for seq in (1, 2):
        AppliedRevision.objects.create(
            environment=other,
            revision_id=f"{seq:04d}_step",
            seq=seq,
            checksum=f"sha256:{seq}" if seq == 1 else "sha256:other",
            applied_at=entry(1).applied_at,
        )
    page = signed_in(olga).get("/history/compare?service=orders&a=orders-eu&b=orders-us")
    assert heading(page) == "orders-eu and orders-us differ in two revisions."
    assert "1 revision on both, 1 only on orders-eu, 0 only on orders-us, 1 with other bytes." in text(page)
    assert "Pending on orders-us" in text(page)
    same = signed_in(olga).get("/history/compare?service=orders&a=orders-eu&b=orders-eu")
    assert heading(same) == "orders-eu and orders-eu have the same revisions."


def test_a_revision_that_no_page_can_be_named_after_is_shown_without_a_link(
    olga: User, environment: Environment
) -> None:
    LedgerEntry.objects.filter(seq=3).update(revision_id="release/1")
    AppliedRevision.objects.filter(seq=3).update(revision_id="release/1")
    Environment.objects.filter(pk=environment.pk).update(head_revision="release/1")
    make_environment(environment.service, "orders-us", order=2)
    for path in (
        "/services/orders/environments/orders-eu",
        "/services/orders/environments/orders-eu?direction=down",
        "/history/compare?service=orders&a=orders-eu&b=orders-us",
        "/history", f"/history/{entry(3).pk}", "/", "/services", "/services/orders", "/matrix?service=orders",
        "/matrix/diff?service=orders&a=orders-eu&b=orders-us",
    ):  # fmt: skip
        page = signed_in(olga).get(path)
        assert page.status_code == 200, path
        assert 'revisions/release/1"' not in page.content.decode(), path
        assert "release/1" in text(page) or not path.startswith(("/services/orders/e", "/history")), path


def test_an_environment_that_does_not_exist_is_not_compared(olga: User, environment: Environment) -> None:
    assert signed_in(olga).get("/history/compare?service=orders&a=orders-eu&b=nowhere").status_code == 404


def test_a_service_that_does_not_exist_is_not_compared(olga: User, environment: Environment) -> None:
    answer = signed_in(olga).get("/history/compare?service=nope")
    assert answer.status_code == 404
    assert signed_in(olga).get("/history/compare?service=orders").status_code == 200


def test_the_csv_holds_what_the_filter_leaves_and_no_formula(olga: User, environment: Environment) -> None:
    LedgerEntry.objects.filter(seq=2).update(operator='=cmd|" /C calc"!A0')
    answer = signed_in(olga).get("/history/export.csv?revision=0002")
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [row["revision_id"] for row in rows] == ["0002_step"]
    assert rows[0]["operator"] == '\'=cmd|" /C calc"!A0'
    assert answer["Content-Disposition"].startswith("attachment;")


def test_an_export_from_a_later_page_begins_with_the_newest_row(olga: User, environment: Environment) -> None:
    second = entry(2)
    place = write("history", *Cursor(second.applied_at, second.pk).key)
    page = signed_in(olga).get(f"/history?service=orders&after={place}").content.decode()
    assert 'href="/history/export.csv?service=orders"' in page


def test_the_json_keeps_every_value_as_it_is(olga: User, environment: Environment) -> None:
    LedgerEntry.objects.filter(seq=2).update(operator="=1+1")
    answer = signed_in(olga).get("/history/export.json")
    rows = json.loads(answer.getvalue())
    assert [row["seq"] for row in rows] == [3, 2, 1]
    assert rows[1]["operator"] == "=1+1"


def test_exporting_is_for_those_who_may(vic: User, environment: Environment) -> None:
    assert signed_in(vic).get("/history/export.csv").status_code == 403
    assert "Exporting these rows needs one of these roles" in text(signed_in(vic).get("/history"))
    assert signed_in(person("audrey", AUDITOR)).get("/history/export.csv").status_code == 200


def test_there_is_no_other_kind_of_file(olga: User, environment: Environment) -> None:
    assert signed_in(olga).get("/history/export.xlsx").status_code == 404


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@a", "\t=1", " =1", ",=1", "＝1"])
def test_a_cell_that_looks_like_a_formula_is_text(value: str) -> None:
    assert safe(value) == f"'{value}"


@pytest.mark.parametrize("value", ["a=1", "", None, -5, "0001_a"])
def test_any_other_cell_is_left_alone(value: object) -> None:
    assert safe(value) == value


def test_more_rows_take_no_more_queries(olga: User, environment: Environment) -> None:
    client = signed_in(olga)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/history")
        return len(asked)

    few = queries()
    for seq in range(4, 40):
        make_receipt(environment, seq)
    assert queries() == few
