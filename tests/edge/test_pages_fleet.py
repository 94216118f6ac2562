"""Services and environments on pages: adding them, the plan before a run, and the run itself."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User

from dashboard import access
from migrations_app.fleet.lag import lag_of
from migrations_app.fleet.revisions import put_revision
from migrations_app.fleet.standing import standings
from migrations_app.models import Environment, LedgerEntry, Revision, Run, Service
from migrations_app.permissions import ADMIN, VIEWER
from tests.browser.client import heading, signed_in, text
from tests.conftest import MakeDatabase
from tests.edge.fleet import make_receipt, make_run, make_service
from tests.edge.people import person
from tests.edge.plans import confirmed

pytestmark = pytest.mark.django_db

PAGE = "/services/orders/environments/orders-eu"


@pytest.fixture
def service(olga: User) -> Service:
    service = make_service(olga)
    for number, down in ((1, "DROP TABLE t1;"), (2, None)):
        up = f"CREATE TABLE t{number} (id bigint);\n"
        put_revision(service=service, revision_id=f"000{number}_t", up=up, down=down, by=olga)
    index = "CREATE INDEX CONCURRENTLY i ON t1 (id);"
    put_revision(service=service, revision_id="0003_i", up=index, down="DROP INDEX CONCURRENTLY i;", by=olga)
    return service


def test_an_admin_adds_a_service_and_others_do_not(olga: User) -> None:
    admin = signed_in(person("ada", ADMIN))
    page = admin.post("/add-service", {"name": "billing"}, follow=True)
    assert heading(page) == "billing: no environments, no revisions."
    assert signed_in(olga).post("/add-service", {"name": "other"}).status_code == 403
    again = admin.post("/add-service", {"name": "billing"})
    assert again.status_code == 422
    assert "There is a service named billing already." in text(again)
    assert list(Service.objects.values_list("name", flat=True)) == ["billing"]


def test_an_environment_is_proven_and_its_address_never_shown(olga: User, target_database: MakeDatabase) -> None:
    make_service(olga)
    dsn = target_database()
    form = {"name": "eu", "stage": "prod", "region": "eu", "order": "1", "dsn": dsn, "health_url": ""}
    page = signed_in(person("ada", ADMIN)).post("/services/orders/add-environment", form, follow=True)
    assert heading(page).startswith("eu has no revision applied")
    assert "stored encrypted" in text(page)
    assert dsn not in page.content.decode()


def test_a_target_that_cannot_be_reached_is_refused_in_the_form(olga: User) -> None:
    make_service(olga)
    dsn = "postgresql://nobody:secret-word@127.0.0.1:1/none"
    form = {"name": "eu", "stage": "prod", "region": "", "order": "1", "dsn": dsn, "health_url": ""}
    page = signed_in(person("ada", ADMIN)).post("/services/orders/add-environment", form)
    assert page.status_code == 422
    assert "Nothing was saved." in text(page)
    assert not Environment.objects.exists()


def test_a_form_names_each_field_that_is_wrong(olga: User) -> None:
    make_service(olga)
    page = signed_in(person("ada", ADMIN)).post("/services/orders/add-environment", {"order": "x"})
    assert page.status_code == 422
    assert page.content.decode().count('aria-invalid="true"') == 4


def test_an_environment_says_since_when_it_waits_or_is_in_step(olga: User, environment: Environment) -> None:
    """A count of revisions says nothing about time."""
    (standing,) = standings()
    lag = lag_of(environment, standing)
    first = Revision.objects.get(revision_id="0001_t")
    assert (lag.waiting_since, lag.waiting, lag.in_step_since) == (first.created_at, "0001_t", None)
    page = text(signed_in(olga).get(PAGE))
    assert "Pending 3 revisions behind since" in page
    assert "when 0001 was put" in page
    for seq, (revision_id, parent) in enumerate((("0001_t", ""), ("0002_t", "0001_t"), ("0003_i", "0002_t")), start=1):
        receipt = make_receipt(environment, seq)
        LedgerEntry.objects.filter(pk=receipt.pk).update(revision_id=revision_id, parent=parent)
    Environment.objects.filter(pk=environment.pk).update(head_revision="0003_i", reachability="ok")
    (standing,) = standings()
    newest = LedgerEntry.objects.get(environment=environment, seq=3)
    assert lag_of(environment, standing).in_step_since == newest.applied_at
    page = text(signed_in(olga).get(PAGE))
    assert "Pending 0 revisions in step since" in page


def test_what_was_rolled_back_waits_since_then(olga: User, environment: Environment) -> None:
    for seq, revision_id, direction in ((1, "0001_t", "up"), (2, "0002_t", "up"), (3, "0002_t", "down")):
        receipt = make_receipt(environment, seq)
        LedgerEntry.objects.filter(pk=receipt.pk).update(revision_id=revision_id, direction=direction)
    Environment.objects.filter(pk=environment.pk).update(head_revision="0001_t")
    (standing,) = standings()
    back = LedgerEntry.objects.get(seq=3)
    lag = lag_of(environment, standing)
    assert (lag.waiting_since, lag.waiting, lag.went_back) == (back.applied_at, "0002_t", True)
    page = text(signed_in(olga).get(PAGE))
    assert re.search("Pending 2 revisions 0002 waits since .{1,60}, when it was rolled back", page)
    assert re.search("Last receipt .{1,60} rolled back by olga, 3 receipts in all", page)


def test_a_plan_is_not_kept_for_later_than_its_environment_was_read(
    olga: User, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may end between the two readings: what was read first must not stand under what came of it."""
    read = access.environment_for

    def read_and_overtaken(*given: Any) -> Environment:
        found = read(*given)
        make_receipt(environment, 1)
        Environment.objects.filter(pk=environment.pk).update(head_revision="0001_t", head_seq=1)
        return found

    client = signed_in(olga)
    with monkeypatch.context() as patched:
        patched.setattr(access, "environment_for", read_and_overtaken)
        assert client.get(PAGE).status_code == 200
    planned = client.get(PAGE).context["plan"].revisions
    assert [row.revision_id for row in planned] == ["0002_t", "0003_i"]


def test_the_facts_of_a_target_are_all_told(olga: User, environment: Environment) -> None:
    page = text(signed_in(olga).get(PAGE))
    assert "Identity cluster 7 , database" in page
    assert "Lock window 1800 s as everywhere" in page
    assert "Health address none given" in page
    Environment.objects.update(lock_window_seconds=60, health_url="https://orders.example/health")
    page = text(signed_in(olga).get(PAGE))
    assert "Lock window 60 s" in page
    assert "https://orders.example/health" in page


def test_the_last_receipts_lead_to_revision_run_and_history(olga: User, environment: Environment) -> None:
    assert "No receipt yet." in text(signed_in(olga).get(PAGE))
    run = make_run(environment, olga, status="succeeded")
    for seq in range(1, 11):
        receipt = make_receipt(environment, seq)
    LedgerEntry.objects.filter(pk=receipt.pk).update(run_id=run.pk)
    page = signed_in(olga).get(PAGE).content.decode()
    table = page[page.index("Last receipts of orders-eu") :]
    assert table.count("<tr>") == 1 + 6
    assert f'<a href="/runs/{run.pk}">{run.pk}</a>' in table
    assert 'href="/services/orders/revisions/0010_step"' in table
    assert 'href="/history?service=orders&amp;environment=orders-eu"' in page


def test_beside_a_run_on_the_way_it_says_that_it_does_not_follow_it(olga: User, environment: Environment) -> None:
    told = "is on the way: its page follows it, this one does not."
    assert told not in text(signed_in(olga).get(PAGE))
    run = make_run(environment, olga, status="running")
    assert f"Run {run.pk} {told}" in text(signed_in(olga).get(PAGE))
    Run.objects.filter(pk=run.pk).update(status="succeeded")
    assert told not in text(signed_in(olga).get(PAGE))


def test_the_plan_shows_what_a_run_would_do(olga: User, environment: Environment) -> None:
    page = text(signed_in(olga).get(PAGE))
    assert "CREATE TABLE t1" in page
    assert "outside a transaction" in page
    assert "Apply three revisions on orders-eu" in page
    assert "Apply two revisions on orders-eu" in text(signed_in(olga).get(f"{PAGE}?to=0002_t"))


def test_a_viewer_sees_the_plan_without_sql_and_why_the_button_is_off(environment: Environment) -> None:
    page = text(signed_in(person("vic", VIEWER)).get(PAGE))
    assert "0003_i" in page
    assert "CREATE TABLE" not in page
    assert "Starting runs needs one of these roles" in page


def test_applying_leads_to_the_run(olga: User, environment: Environment) -> None:
    client = signed_in(olga)
    form = confirmed(client, PAGE, "?direction=up&to=0002_t")
    page = client.post(f"{PAGE}/run", form, follow=True)
    run = Run.objects.get()
    assert page.redirect_chain[-1][0] == f"/runs/{run.pk}"
    assert (run.to_revision, run.reason, run.requested_by) == ("0002_t", "agreed with the team", olga)
    assert f"Run {run.pk} is queued." in text(page)


def test_a_second_click_is_told_about_the_first_run(olga: User, environment: Environment) -> None:
    client = signed_in(olga)
    form = confirmed(client, PAGE)
    client.post(f"{PAGE}/run", form)
    page = client.post(f"{PAGE}/run", form, follow=True)
    assert f"Run {Run.objects.get().pk} on orders-eu is not finished" in text(page)


@pytest.mark.parametrize("field", ["direction", "to", "reason"])
@pytest.mark.parametrize("value", ["\x00", "0009_nowhere\x00", "x" * 9000])
def test_nonsense_in_the_form_is_no_error(olga: User, environment: Environment, field: str, value: str) -> None:
    form = {"direction": "sideways", "to": "", field: value}
    page = signed_in(olga).post(f"{PAGE}/run", form, follow=True)
    assert page.status_code == 200
    assert not Run.objects.exists()


def test_a_viewer_may_not_start_a_run(environment: Environment) -> None:
    assert signed_in(person("vic", VIEWER)).post(f"{PAGE}/run", {"direction": "up"}).status_code == 403
    assert not Run.objects.exists()


@pytest.mark.parametrize("query", ["to=nope", "direction=down&to=nope", "to=%00"])
def test_nonsense_in_the_address_is_told_in_the_plan(olga: User, environment: Environment, query: str) -> None:
    assert signed_in(olga).get(f"{PAGE}?{query}").status_code == 200


def test_what_cannot_be_rolled_back_says_so(olga: User, environment: Environment) -> None:
    Environment.objects.filter(pk=environment.pk).update(head_revision="0003_i", head_seq=3, rehearsal_policy="never")
    page = text(signed_in(olga).get(f"{PAGE}?direction=down&to=zero"))
    assert "0002_t has no down file, so it cannot be rolled back." in page
    assert "Roll back three" not in page
    assert "Roll back one revision on orders-eu" in text(signed_in(olga).get(f"{PAGE}?direction=down"))


def test_comparing_an_unreachable_target_is_told_and_changes_the_state(olga: User, environment: Environment) -> None:
    page = signed_in(olga).post(f"{PAGE}/check", follow=True)
    assert page.status_code == 200
    environment.refresh_from_db()
    assert environment.reachability == "unreachable"
    assert "Unreachable" in text(page)


def test_an_environment_of_another_service_is_nothing(olga: User, environment: Environment) -> None:
    make_service(olga, "other")
    assert signed_in(olga).get("/services/other/environments/orders-eu").status_code == 404


def test_the_search_opens_the_only_hit_and_lists_several(olga: User, environment: Environment) -> None:
    client = signed_in(olga)
    assert client.get("/find?q=0003")["Location"] == "/services/orders/revisions/0003_i"
    assert "places have “orders” in their name" in heading(client.get("/find?q=orders"))
    assert heading(client.get("/find?q=zzz")) == "Nothing here has “zzz” in its name."
    assert client.get("/find?q=%00").status_code == 200
