"""The page that changes an environment: the same verbs as the API, errors beside their fields, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib.auth.models import User
from django.test import Client

from migrations_app.engine.target.identity import read_identity
from migrations_app.fleet.environments import add_environment
from migrations_app.models import AuditEntry, Environment, Service
from migrations_app.permissions import ADMIN, OPERATOR
from tests.browser.client import heading, signed_in, text
from tests.edge.fleet import make_environment, make_receipt, make_run, make_service
from tests.edge.people import person
from tests.fleet.people import audited

pytestmark = pytest.mark.django_db

MakeDatabase = Callable[..., str]
PAGE = "/services/orders/environments/eu"
EDIT = f"{PAGE}/edit"
SAME = {
    "stage": "prod", "region": "eu", "order": "1", "lock_window_seconds": "", "health_url": "", "dsn": "",
    "rehearsal_policy": "", "rehearsal_days": "14", "lock_budget_seconds": "2", "secrets_rev": "",
    "secrets_rev_next": "",
}  # fmt: skip


@pytest.fixture
def ada() -> User:
    return person("ada", ADMIN)


@pytest.fixture
def admin(ada: User) -> Client:
    return signed_in(ada)


@pytest.fixture
def service(ada: User) -> Service:
    return make_service(ada)


@pytest.fixture
def url(target_database: MakeDatabase) -> str:
    return target_database()


@pytest.fixture
def environment(service: Service, ada: User, url: str) -> Environment:
    """On a target of its own, whose address is stored."""
    return add_environment(
        service=service, name="eu", stage="prod", region="eu", order=1, dsn=url, health_url="", by=ada
    )


def stored() -> dict[str, Any]:
    return dict(Environment.objects.filter(name="eu").values().get())


def beside(page: Any, field: str) -> str:
    """What is told beside one field."""
    html: str = page.content.decode()
    _, found, after = html.partition(f'id="id_{field}_error">')
    assert found, text(page)
    return after.partition("</span>")[0]


def test_it_offers_what_is_stored_but_never_the_address(admin: Client, environment: Environment, url: str) -> None:
    page = admin.get(EDIT)
    html = page.content.decode()
    assert heading(page) == "Change eu of orders"
    assert 'name="stage" value="prod"' in html and 'name="region" value="eu"' in html
    assert 'name="dsn" value' not in html
    assert str(urlsplit(url).password) not in html and url not in html
    assert environment.target_name in html


def test_only_who_may_edit_is_led_there(admin: Client, environment: Environment) -> None:
    olga = signed_in(person("olga", OPERATOR))
    assert EDIT in admin.get(PAGE).content.decode()
    assert EDIT not in olga.get(PAGE).content.decode()
    assert olga.post(EDIT, {**SAME, "stage": "dev"}).status_code == 403
    assert stored()["stage"] == "prod"


def test_it_changes_the_place_and_the_lock_window(admin: Client, environment: Environment) -> None:
    form = {
        **SAME,
        "stage": "dev",
        "region": "",
        "order": "-3",
        "lock_window_seconds": "60",
        "health_url": "https://x.example/",
    }
    page = admin.post(EDIT, form, follow=True)
    assert page.redirect_chain == [(PAGE, 302)]
    assert "eu was changed." in text(page) and "60 s" in text(page)
    now = stored()
    assert (now["stage"], now["region"], now["order"], now["lock_window_seconds"]) == ("dev", "", -3, 60)
    entry = AuditEntry.objects.latest("seq").data
    assert (entry["action"], entry["actor"]) == ("environment.edit", "ada")
    admin.post(EDIT, {**form, "lock_window_seconds": ""})
    assert stored()["lock_window_seconds"] is None


def test_it_changes_what_has_to_be_rehearsed(admin: Client, environment: Environment) -> None:
    admin.post(EDIT, {**SAME, "rehearsal_policy": "always", "rehearsal_days": "3"})
    now = stored()
    assert (now["rehearsal_policy"], now["rehearsal_days"]) == ("always", 3)
    after = AuditEntry.objects.latest("seq").data["after"]
    assert (after["rehearsal_policy"], after["rehearsal_days"]) == ("always", 3)


@pytest.mark.parametrize(
    "field, value", [("rehearsal_policy", "perhaps"), *(("rehearsal_days", n) for n in ("0", "366"))]
)
def test_a_rehearsal_policy_that_makes_no_sense_is_told_beside_its_field(
    admin: Client, environment: Environment, field: str, value: str
) -> None:
    page = admin.post(EDIT, {**SAME, field: value})
    assert page.status_code == 422 and beside(page, field)
    assert (stored()["rehearsal_policy"], stored()["rehearsal_days"]) == ("", 14)


def test_an_empty_address_leaves_it_and_no_change_is_no_entry(admin: Client, environment: Environment) -> None:
    before, entries = stored(), audited()
    page = admin.post(EDIT, SAME, follow=True)
    assert "Nothing of eu was changed." in text(page)
    assert stored() == before and audited() == entries


def test_a_new_way_to_the_same_database_is_proven_and_stored_with_the_rest(
    admin: Client, environment: Environment, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_EU", url)
    admin.post(EDIT, {**SAME, "order": "5", "dsn": "env:ORDERS_EU"})
    now = stored()
    assert (now["order"], now["dsn_kind"], now["dsn_reference"], now["dsn_sealed"]) == (5, "env", "ORDERS_EU", None)
    assert [action for action, _ in audited()][-2:] == ["environment.change_dsn", "environment.edit"]
    assert now["target_name"].endswith(urlsplit(url).path)


def test_another_database_needs_a_word(admin: Client, environment: Environment, target_database: MakeDatabase) -> None:
    make_receipt(environment, 1)
    other = target_database()
    before, entries = stored(), audited()
    page = admin.post(EDIT, {**SAME, "order": "9", "dsn": other})
    assert page.status_code == 422
    assert "does not say which environment it is" in beside(page, "dsn")
    assert stored() == before and audited() == entries
    admin.post(EDIT, {**SAME, "order": "9", "dsn": other, "adopt": "on"})
    assert (stored()["order"], AuditEntry.objects.latest("seq").data["action"]) == (9, "environment.edit")
    with psycopg.connect(other) as conn:
        identity = read_identity(conn)
    assert identity is not None and identity.environment == environment.uid


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("stage", "", "required"),
        ("stage", "Prod EU", "cannot be the stage"),
        ("region", "EU", "cannot be the region"),
        ("order", "10000", "9999"),
        ("order", "x", "whole number"),
        ("lock_window_seconds", "0", "greater than or equal to 1"),
        ("lock_window_seconds", "86401", "86400"),
        ("health_url", "ftp://x.example", "no plain http"),
        ("health_url", "https://ann:pw@x.example/", "no plain http"),
        ("dsn", "orders", "database"),
        ("dsn", "postgresql://ann:secret-word@127.0.0.1:1/x", "Cannot connect"),
        ("dsn", "env:LOCKSTEP_SECRET_KEY", "own settings"),
        ("dsn", "\x00", "Null characters"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_stored(
    admin: Client, environment: Environment, field: str, value: str, words: str
) -> None:
    """With a good change beside it, which must not be stored either."""
    before, entries = stored(), audited()
    page = admin.post(EDIT, {**SAME, "order": "7", field: value})
    assert page.status_code == 422
    assert words in beside(page, field), beside(page, field)
    assert "Nothing was saved." in text(page)
    assert stored() == before and audited() == entries


def test_adopting_without_an_address_is_told(admin: Client, environment: Environment) -> None:
    page = admin.post(EDIT, {**SAME, "adopt": "on"})
    assert page.status_code == 422
    assert "Give the address" in beside(page, "dsn")


def test_an_open_run_keeps_the_address_but_not_the_place(
    admin: Client, environment: Environment, url: str, ada: User
) -> None:
    run = make_run(environment, ada)
    page = admin.post(EDIT, {**SAME, "order": "7", "dsn": url})
    assert page.status_code == 422
    assert f"Run {run.pk} of environment eu is not finished." in text(page)
    assert stored()["order"] == 1
    admin.post(EDIT, {**SAME, "order": "7"})
    assert stored()["order"] == 7


def test_proving_again_is_a_button(admin: Client, environment: Environment) -> None:
    Environment.objects.update(reachability="unreachable")
    page = admin.post(f"{PAGE}/prove", follow=True)
    assert "eu was proven on its target." in text(page)
    assert (stored()["reachability"], audited()[-1][0]) == ("ok", "environment.prove")


def test_a_database_that_was_made_anew_is_adopted_by_a_button(
    admin: Client, environment: Environment, url: str
) -> None:
    make_receipt(environment, 1)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("DROP SCHEMA lockstep CASCADE")
    page = admin.post(f"{PAGE}/prove", follow=True)
    assert page.redirect_chain == [(EDIT, 302)]
    assert "does not say which environment it is" in text(page)
    page = admin.post(f"{PAGE}/prove", {"adopt": "yes"}, follow=True)
    assert "eu adopted the database at its address." in text(page)
    assert AuditEntry.objects.latest("seq").data["after"]["adopted"] is True


def test_removing_needs_the_name(admin: Client, environment: Environment) -> None:
    page = admin.post(f"{PAGE}/remove", {"name": "us"}, follow=True)
    assert "Nothing was removed." in text(page) and Environment.objects.exists()
    page = admin.post(f"{PAGE}/remove", {"name": "eu"}, follow=True)
    assert page.redirect_chain == [("/services/orders", 302)]
    assert "eu is not an environment of orders any more." in text(page)
    assert not Environment.objects.exists()
    assert audited()[-1] == ("environment.remove", "environment:orders/eu")


def test_what_has_history_is_not_removed(admin: Client, ada: User, service: Service) -> None:
    environment = make_environment(service, "eu")
    make_receipt(environment, 1)
    assert "so it stays" in text(admin.get(EDIT))
    page = admin.post(f"{PAGE}/remove", {"name": "eu"}, follow=True)
    assert "which are kept" in text(page)
    assert Environment.objects.exists()


@pytest.mark.parametrize("path", [EDIT, f"{PAGE}/prove", f"{PAGE}/remove"])
def test_nothing_changes_without_the_form_s_token(environment: Environment, ada: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    before = stored()
    assert client.post(path, {**SAME, "stage": "dev", "name": "eu"}).status_code == 403
    assert stored() == before
    assert client.get(path).status_code in (200, 405)
