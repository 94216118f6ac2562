"""A token opens what its user may, or less, until it ends."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from dashboard import tokens
from migrations_app.engine.errors import Refused
from migrations_app.models import ApiToken, AuditEntry
from migrations_app.permissions import may, roles_of
from tests.edge.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga() -> User:
    return person("olga", "operator", "on-call")


def test_it_is_shown_once_and_kept_as_a_hash(olga: User) -> None:
    made = tokens.create(user=olga, by=olga, name="ci")
    assert re.fullmatch(r"lockstep_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", made.text)
    kept = ApiToken.objects.values().get()
    assert kept["prefix"] == made.text.split("_")[1]
    assert made.text.split("_", 2)[2] not in str(kept)
    assert made.text not in repr(made)


def test_it_opens_as_its_user(olga: User) -> None:
    user = tokens.authenticate(tokens.create(user=olga, by=olga).text)
    assert user == olga
    assert roles_of(user) == {"operator", "on-call"}


def test_it_can_be_narrower_than_its_user(olga: User) -> None:
    user = tokens.authenticate(tokens.create(user=olga, by=olga, role="operator").text)
    assert roles_of(user) == {"operator"}
    assert may(user, "create_run")
    assert not may(user, "resolve_run")


def test_it_loses_a_role_with_its_user(olga: User) -> None:
    made = tokens.create(user=olga, by=olga, role="operator")
    olga.groups.clear()
    assert roles_of(tokens.authenticate(made.text)) == frozenset()


def test_it_lasts_90_days_by_default(olga: User) -> None:
    left = tokens.create(user=olga, by=olga).token.expires_at - timezone.now()
    assert timedelta(days=89, hours=23) < left <= timedelta(days=90)


def test_it_ends_by_time(olga: User) -> None:
    made = tokens.create(user=olga, by=olga, days=1)
    ApiToken.objects.update(expires_at=timezone.now())
    with pytest.raises(tokens.NotAuthentic, match="expired at"):
        tokens.authenticate(made.text)


def test_it_ends_by_revocation_once(olga: User) -> None:
    made = tokens.create(user=olga, by=olga)
    tokens.revoke(made.token, by=olga)
    tokens.revoke(made.token, by=olga)
    with pytest.raises(tokens.NotAuthentic, match="was revoked"):
        tokens.authenticate(made.text)
    made.token.refresh_from_db()
    assert tokens.state_of(made.token) == "revoked"
    assert [entry.data["action"] for entry in AuditEntry.objects.all()] == ["token.revoke", "token.create"]


def test_it_ends_with_its_user(olga: User) -> None:
    made = tokens.create(user=olga, by=olga)
    User.objects.update(is_active=False)
    with pytest.raises(tokens.NotAuthentic, match="user of this token is disabled"):
        tokens.authenticate(made.text)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "x",
        "lockstep_",
        "lockstep__",
        "lockstep_00000000_x",
        "lockstep_\x00_x",
        "lockstep_\ud800_x",
        "é" * 9,
    ],
)
def test_it_does_not_know_others(olga: User, wrong: str) -> None:
    with pytest.raises(tokens.NotAuthentic, match="is not known"):
        tokens.authenticate(wrong)


def test_it_needs_the_whole_secret(olga: User) -> None:
    text = tokens.create(user=olga, by=olga).text
    for wrong in (text[:-1], text + "x", text.upper(), text.replace("lockstep_", "lockstep_", 1)[:-1] + "!"):
        with pytest.raises(tokens.NotAuthentic, match="is not known"):
            tokens.authenticate(wrong)


def test_it_notes_its_use_at_most_once_a_minute(olga: User) -> None:
    made = tokens.create(user=olga, by=olga)
    tokens.authenticate(made.text)
    first = ApiToken.objects.get().last_used_at
    tokens.authenticate(made.text)
    assert first is not None
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    tokens.authenticate(made.text)
    used = ApiToken.objects.get().last_used_at
    assert used is not None and used >= first


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"role": "admin"}, "role_not_held"),
        ({"role": "king"}, "unknown_role"),
        ({"days": 0}, "bad_expiry"),
        ({"days": 366}, "bad_expiry"),
        ({"name": "x" * 101}, "bad_name"),
        ({"name": "\x00"}, "bad_name"),
    ],
)
def test_it_is_not_made_from_wrong_wishes(olga: User, fields: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        tokens.create(user=olga, by=olga, **fields)  # type: ignore[arg-type]
    assert refusal.value.code == code
    assert not ApiToken.objects.exists()


def test_it_never_enters_the_audit_log(olga: User) -> None:
    made = tokens.create(user=olga, by=olga, name="ci")
    entry = AuditEntry.objects.get()
    assert entry.data["object"] == f"token:{made.token.prefix}"
    assert made.text.split("_", 2)[2] not in entry.body


def test_the_command_prints_the_token_alone(olga: User) -> None:
    out, err = StringIO(), StringIO()
    call_command("token", "olga", "--role", "operator", "--days", "7", "--name", "ci", stdout=out, stderr=err)
    assert err.getvalue() == ""
    assert tokens.authenticate(out.getvalue().removesuffix("\n")) == olga
    assert ApiToken.objects.get().name == "ci"


def test_the_command_refuses_an_unknown_or_disabled_user(olga: User) -> None:
    User.objects.update(is_active=False)
    for name in ("nobody", "olga"):
        with pytest.raises(CommandError, match=f"There is no active user '{name}'") as refusal:
            call_command("token", name)
        assert refusal.value.returncode == 1


def test_the_command_refuses_a_role_the_user_does_not_have(olga: User) -> None:
    with pytest.raises(CommandError, match="olga does not have the role admin"):
        call_command("token", "olga", "--role", "admin")
