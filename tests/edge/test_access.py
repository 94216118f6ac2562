"""Permission is a look-up: it returns the object or refuses, and a refusal is recorded."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404

from dashboard import access
from migrations_app.models import ApiToken, AuditEntry, Run
from migrations_app.permissions import VERBS
from tests.edge.fleet import make_environment, make_log, make_revision, make_run, make_service
from tests.edge.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(olga: User) -> Run:
    service = make_service(olga)
    make_revision(service, 1)
    run = make_run(make_environment(service), olga)
    make_log(run, "one", "two")
    return run


def test_every_verb_has_words_for_its_refusal() -> None:
    assert set(access.WORDS) == set(VERBS)


def test_it_finds_for_those_who_may_look(vic: User, run: Run) -> None:
    assert access.service_for(vic, "orders") == run.service
    assert access.environment_for(vic, "orders", "orders-eu") == run.environment
    assert access.revision_for(vic, "orders", "0001_step").position == 1
    assert access.run_for(vic, run.pk) == run
    assert [s.name for s in access.services_for(vic)] == ["orders"]
    assert [e.name for e in access.environments_for(vic)] == ["orders-eu"]
    assert [r.pk for r in access.runs_for(vic)] == [run.pk]


@pytest.mark.parametrize(
    ("look", "sentence"),
    [
        (lambda user: access.service_for(user, "none"), "There is no service none."),
        (
            lambda user: access.environment_for(user, "orders", "x"),
            "There is no environment x in service orders.",
        ),
        (
            lambda user: access.environment_for(user, "x", "orders-eu"),
            "There is no environment orders-eu in service x.",
        ),
        (lambda user: access.revision_for(user, "orders", "9"), "There is no revision 9 in service orders."),
        (lambda user: access.run_for(user, 10**30), f"There is no run {10**30}."),
        (lambda user: access.service_for(user, "a\x00b"), "There is no service a\x00b."),
        (lambda user: access.token_for(user, 7), "There is no token 7 of yours."),
    ],
)
def test_it_answers_404_for_what_is_not_there(
    olga: User, run: Run, look: Callable[[User], object], sentence: str
) -> None:
    with pytest.raises(Http404) as missing:
        look(olga)
    assert str(missing.value) == sentence


def test_it_refuses_by_naming_the_roles_that_may(vic: User, run: Run) -> None:
    with pytest.raises(PermissionDenied) as refusal:
        access.run_for(vic, run.pk, "resolve_run")
    assert str(refusal.value) == (
        "You may not decide about a run that needs an operator: that takes one of the roles on-call, "
        "release-manager; you act with viewer. Nothing was done. Ask an admin for a role."
    )


def test_it_keeps_sql_and_logs_from_viewers(vic: User, olga: User, run: Run) -> None:
    for look in (
        lambda user: access.revision_for(user, "orders", "0001_step", "view_sql"),
        lambda user: access.log_for(user, run),
    ):
        with pytest.raises(PermissionDenied):
            look(vic)
        look(olga)
    assert [line.message for line in access.log_for(olga, run)] == ["one", "two"]


def test_it_records_a_refused_attempt(vic: User, run: Run) -> None:
    with pytest.raises(PermissionDenied):
        access.run_for(vic, run.pk, "control_run")
    entry = AuditEntry.objects.first()
    assert entry is not None
    assert (entry.data["actor"], entry.data["action"], entry.data["object"]) == (
        "vic",
        "denied",
        f"run:{run.pk}",
    )
    assert entry.data["after"] == {"verb": "control_run", "needs": "operator, on-call, release-manager"}


def test_it_refuses_before_it_tells_what_exists(vic: User) -> None:
    with pytest.raises(PermissionDenied):
        access.run_for(vic, 1, "control_run")


def test_it_refuses_nobody_and_the_disabled_without_a_record(olga: User) -> None:
    olga.is_active = False
    for user in (AnonymousUser(), olga):
        with pytest.raises(PermissionDenied, match="not signed in"):
            access.services_for(user)
    assert not AuditEntry.objects.exists()


def test_it_refuses_a_user_without_a_role() -> None:
    with pytest.raises(PermissionDenied, match="you act with none"):
        access.services_for(person("nora"))


def test_it_counts_the_roles_of_the_token_alone(olga: User, run: Run) -> None:
    olga.token_roles = frozenset({"viewer"})  # type: ignore[attr-defined]
    with pytest.raises(PermissionDenied, match="you act with none"):
        access.run_for(olga, run.pk, "control_run")


def test_it_leaves_the_sql_out_of_lists(olga: User, run: Run) -> None:
    revision = access.revisions_for(olga).get()
    assert {"up", "up_script"} <= revision.get_deferred_fields()


def test_it_shows_everybody_only_their_own_tokens(olga: User, vic: User) -> None:
    from dashboard import tokens

    hers = tokens.create(user=olga, by=olga).token
    assert access.token_for(olga, hers.pk) == hers
    with pytest.raises(Http404):
        access.token_for(vic, hers.pk)
    assert list(access.tokens_for(vic)) == []
    assert ApiToken.objects.count() == 1
