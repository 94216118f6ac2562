"""The first users: made once, never changed, named for as long as their first password works."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import override_settings

from migrations_app import permissions

pytestmark = pytest.mark.django_db
PASSWORD = "first-password-for-tests"


@pytest.fixture(autouse=True)
def _cheap_hashes() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


def ensure(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    monkeypatch.setenv("LOCKSTEP_FIRST_PASSWORD", PASSWORD)
    output = io.StringIO()
    call_command("ensure_demo_users", *arguments, stdout=output)
    return output.getvalue().splitlines()


ROLES = {
    "admin": ["admin", "release-manager", "operator"],
    "olga": ["operator"],
    "ann": ["release-manager"],
    "oscar": ["on-call"],
    "vic": ["viewer"],
    "aud": ["auditor"],
}


def test_it_makes_every_group_and_the_users_with_their_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ensure(monkeypatch)
    assert set(Group.objects.values_list("name", flat=True)) == set(permissions.ROLES)
    assert [" ".join(line.split()) for line in lines] == [
        f"login: {name} {', '.join(roles)}" for name, roles in ROLES.items()
    ]
    for name, roles in ROLES.items():
        assert {group.name for group in User.objects.get(username=name).groups.all()} == set(roles)


def test_only_the_administrator_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    ensure(monkeypatch, "--admin-only")
    assert list(User.objects.values_list("username", flat=True)) == ["admin"]


def test_nobody_is_a_superuser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups alone decide; a superuser would pass every check."""
    ensure(monkeypatch)
    assert not User.objects.filter(is_superuser=True).exists()


def test_a_changed_password_stays_and_is_no_longer_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    ensure(monkeypatch)
    admin = User.objects.get(username="admin")
    admin.set_password("another-password")
    admin.save(update_fields=["password"])
    assert "admin" not in [line.split()[1] for line in ensure(monkeypatch)]
    admin.refresh_from_db()
    assert admin.check_password("another-password")


def test_a_changed_role_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    ensure(monkeypatch)
    User.objects.get(username="olga").groups.clear()
    ensure(monkeypatch)
    assert not User.objects.get(username="olga").groups.exists()


def test_without_a_password_it_says_which_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LOCKSTEP_FIRST_PASSWORD", raising=False)
    with pytest.raises(SystemExit) as ended:
        call_command("ensure_demo_users")
    assert ended.value.code == 1
    assert "LOCKSTEP_FIRST_PASSWORD is not set" in capsys.readouterr().err
    assert not User.objects.exists()
