"""Starting a run from a page: how much is asked follows how far the plan reaches, and only the shown plan starts."""

from __future__ import annotations

import pytest
from django.test import Client

from migrations_app.fleet.revisions import put_revision
from migrations_app.models import AuditEntry, Environment, Run, Service
from tests.browser.client import text
from tests.edge.fleet import make_environment
from tests.edge.plans import shown

pytestmark = pytest.mark.django_db

ADD, DROP = "ALTER TABLE orders ADD COLUMN note text;", "ALTER TABLE orders DROP COLUMN note;"


@pytest.fixture
def dev(service: Service) -> Environment:
    return make_environment(service, "dev", "dev", order=0)


@pytest.fixture
def prod(service: Service, dev: Environment) -> Environment:
    return make_environment(service, "prod-eu", "prod", order=9)


def put(service: Service, name: str, up: str, down: str | None = "SELECT 1;") -> None:
    put_revision(service=service, revision_id=name, up=up, down=down, by=service.created_by)


def path(environment: Environment, page: str = "") -> str:
    return f"/services/orders/environments/{environment.name}{page}"


def test_what_can_be_undone_is_one_click_even_on_production(
    client: Client, service: Service, prod: Environment
) -> None:
    put(service, "0001_note", ADD, DROP)
    page = client.get(path(prod))
    assert "all of it: every revision has a down file" in text(page)
    answer = client.post(path(prod, "/run"), shown(client, path(prod)))
    run = Run.objects.get()
    assert answer["Location"] == f"/runs/{run.pk}"
    assert (run.direction, run.to_revision) == ("up", "0001_note")


@pytest.mark.parametrize("up, down, told", [(DROP, "SELECT 1;", "DROP COLUMN note"), (ADD, None, "no down file")])
def test_off_production_what_cannot_be_undone_is_listed_and_confirmed(
    client: Client, service: Service, dev: Environment, prod: Environment, up: str, down: str | None, told: str
) -> None:
    put(service, "0001_note", up, down)
    page = client.get(path(dev))
    assert f"{path(dev, '/confirm')}?direction=up" in page.content.decode()
    assert 'name="plan"' not in page.content.decode()
    confirm = client.get(f"{path(dev, '/confirm')}?direction=up")
    assert told in text(confirm)
    assert "To go on, type" not in text(confirm)
    client.post(path(dev, "/run"), shown(client, f"{path(dev, '/confirm')}?direction=up"))
    assert Run.objects.get().environment == dev


def test_a_form_without_the_confirmation_starts_nothing(
    client: Client, service: Service, dev: Environment, prod: Environment
) -> None:
    put(service, "0001_note", DROP)
    form = shown(client, f"{path(dev, '/confirm')}?direction=up") | {"confirmed": ""}
    answer = client.post(path(dev, "/run"), form)
    assert answer.status_code == 422
    assert "has to be confirmed first" in text(answer)
    assert not Run.objects.exists()


def test_on_production_the_name_is_typed_and_a_reason_given(
    client: Client, service: Service, prod: Environment
) -> None:
    put(service, "0001_note", DROP)
    form = shown(client, f"{path(prod, '/confirm')}?direction=up")
    refused = client.post(path(prod, "/run"), form | {"typed": "prod", "reason": "too short"})
    assert refused.status_code == 422
    assert "The name that was typed is not prod-eu." in text(refused)
    assert "A reason of 10 characters or more is missing." in text(refused)
    assert 'value="too short"' in refused.content.decode()
    assert not Run.objects.exists()
    client.post(path(prod, "/run"), form | {"typed": "prod-eu", "reason": "the column is empty"})
    assert Run.objects.get().reason == "the column is empty"
    assert AuditEntry.objects.filter(data__action="run.request").count() == 1


def test_the_last_stage_is_production_whatever_it_is_called(client: Client, service: Service, dev: Environment) -> None:
    live = make_environment(service, "live", "live", order=5)
    put(service, "0001_note", DROP)
    assert "To go on, type" in text(client.get(f"{path(live, '/confirm')}?direction=up"))
    assert "To go on, type" not in text(client.get(f"{path(dev, '/confirm')}?direction=up"))


def test_a_plan_that_changed_meanwhile_is_shown_and_not_started(
    client: Client, service: Service, dev: Environment, prod: Environment
) -> None:
    put(service, "0001_note", ADD, DROP)
    form = shown(client, path(dev))
    put(service, "0002_more", ADD.replace("note", "more"), DROP.replace("note", "more"))
    page = client.post(path(dev, "/run"), form, follow=True)
    assert "is not the one that was shown any more. Nothing was started." in text(page)
    assert "0002_more" in text(page)
    assert not Run.objects.exists()
    client.post(path(dev, "/run"), shown(client, path(dev)))
    assert Run.objects.get().to_revision == "0002_more"


def test_the_same_bytes_elsewhere_or_a_stage_that_became_production_need_a_new_look(
    client: Client, service: Service, dev: Environment, prod: Environment
) -> None:
    put(service, "0001_note", DROP)
    form = shown(client, f"{path(dev, '/confirm')}?direction=up")
    page = client.post(path(prod, "/run"), form | {"typed": "prod-eu", "reason": "the column is empty"}, follow=True)
    assert "Nothing was started." in text(page)
    Environment.objects.filter(pk=dev.pk).update(stage="production")
    assert "Nothing was started." in text(client.post(path(dev, "/run"), form, follow=True))
    assert not Run.objects.exists()


def test_the_plan_says_who_asks_what_it_locks_and_what_it_waits_for(
    client: Client, service: Service, dev: Environment, prod: Environment
) -> None:
    put(service, "0001_note", ADD, DROP)
    page = text(client.get(path(dev)))
    assert "Asked for by olga" in page
    assert "orders ACCESS EXCLUSIVE" in page
    assert "in short attempts for up to 1800 s" in page
    assert "brief: holds its locks for seconds; where it cannot get them, nothing is done" in page


def test_a_lock_on_what_the_text_does_not_name_is_told_too(
    client: Client, service: Service, dev: Environment, prod: Environment
) -> None:
    put(service, "0001_note", "DROP INDEX orders_note; CREATE TABLE notes ()", ADD)
    page = text(client.get(path(dev)))
    assert "DROP INDEX orders_note ACCESS EXCLUSIVE" in page[page.index("Asked for by") :]
    assert "as far as its text tells" not in page


@pytest.mark.parametrize("query", ["direction=up&to=0404_gone", "direction=down&to=%00"])
def test_nonsense_leads_back_with_a_sentence(client: Client, service: Service, dev: Environment, query: str) -> None:
    put(service, "0001_note", DROP)
    answer = client.get(f"{path(dev, '/confirm')}?{query}", follow=True)
    assert answer.status_code == 200
    answer = client.post(path(dev, "/run"), {"direction": "sideways", "to": "\x00", "plan": "x"}, follow=True)
    assert answer.status_code == 200
    assert not Run.objects.exists()


@pytest.mark.parametrize("direction", ["sideways", "%00", "up%00"])
def test_a_direction_that_does_not_exist_is_not_taken_for_another(
    client: Client, service: Service, dev: Environment, direction: str
) -> None:
    put(service, "0001_note", DROP)
    for page in ("", "/confirm"):
        answer = client.get(f"{path(dev, page)}?direction={direction}")
        assert answer.status_code == 400
        assert "“direction” in this address is not one of down, up." in text(answer)
