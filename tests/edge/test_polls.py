"""A poll that is answered before its view: as the view would answer, with few questions, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from dashboard import glance
from migrations_app.models import AuditEntry, Run
from tests.browser.client import signed_in
from tests.edge.fleet import make_environment, make_run, make_service

pytestmark = pytest.mark.django_db

SLOW = [name for name in settings.MIDDLEWARE if name != "dashboard.polls.Unchanged"]


@pytest.fixture
def run(olga: User) -> Run:
    return make_run(make_environment(make_service(olga)), olga, status="paused")


@pytest.fixture(params=["/runs/{run}/live", "/runs/live?shown={run}", "/runs/histogram", "/home/live"])
def path(request: pytest.FixtureRequest, run: Run) -> str:
    return str(request.param).format(run=run.pk)


@pytest.fixture
def seen(client: Client, path: str) -> Iterator[dict[str, str]]:
    yield {"If-None-Match": client.get(path)["ETag"]}


def test_it_says_what_its_view_would_say(client: Client, path: str, seen: dict[str, str]) -> None:
    early = client.get(path, headers=seen)
    with override_settings(MIDDLEWARE=SLOW):
        late = signed_in(User.objects.get()).get(path, headers=seen)
    assert early.status_code == late.status_code == 304
    given, wanted = dict(early.headers), dict(late.headers)
    assert given.pop("X-Request-ID") != wanted.pop("X-Request-ID")
    assert given == wanted


def test_it_asks_two_questions_or_about_one_run_a_single_one(
    client: Client, path: str, seen: dict[str, str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glance, "KEPT_S", 60.0)  # what the banners look at is shared by all who poll within a second
    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path, headers=seen).status_code == 304
    assert len(asked) == (1 if path == f"/runs/{run.pk}/live" else 2)


def test_what_was_read_beside_a_session_is_told_of_that_run_alone(client: Client, olga: User, run: Run) -> None:
    other = make_run(run.environment, olga, status="succeeded")
    tags = {pk: client.get(f"/runs/{pk}/live")["ETag"] for pk in (run.pk, other.pk)}
    assert tags[run.pk] != tags[other.pk]
    assert client.get(f"/runs/{run.pk}/live", headers={"If-None-Match": tags[other.pk]}).status_code == 200
    Run.objects.filter(pk=run.pk).update(version=run.version + 1)
    assert client.get(f"/runs/{run.pk}/live", headers={"If-None-Match": tags[run.pk]}).status_code == 200


def test_another_version_is_drawn(client: Client, path: str) -> None:
    answer = client.get(path, headers={"If-None-Match": '"another"'})
    assert answer.status_code == 200 and answer.content


def test_who_signed_out_or_was_closed_out_hears_nothing(
    client: Client, olga: User, path: str, seen: dict[str, str]
) -> None:
    assert Client().get(path, headers=seen).status_code == 302
    User.objects.filter(pk=olga.pk).update(is_active=False)
    assert client.get(path, headers=seen).status_code == 302
    User.objects.filter(pk=olga.pk).update(is_active=True)
    client.logout()
    assert client.get(path, headers=seen).status_code == 302


def test_a_role_that_was_taken_is_refused_and_recorded_once(
    client: Client, olga: User, path: str, seen: dict[str, str]
) -> None:
    olga.groups.clear()
    assert client.get(path, headers=seen).status_code == 403
    assert AuditEntry.objects.filter(data__action="denied").count() == 1


def test_what_does_not_exist_is_the_same_page_with_a_version(client: Client) -> None:
    for path in ("/runs/4711/live", "/nothing"):
        answer = client.get(path, headers={"If-None-Match": '"any"'})
        assert answer.status_code == 404
        assert answer.content.count(b"<h1") == 1


def test_a_host_that_is_not_ours_is_refused(client: Client, path: str, seen: dict[str, str]) -> None:
    assert client.get(path, headers={**seen, "Host": "elsewhere.example"}).status_code == 400
