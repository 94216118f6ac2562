"""The first users: made once, never changed, named for as long as their first password works."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command

from migrations_app import permissions

pytestmark = pytest.mark.django_db
PASSWORD = "first-password-for-tests"


def ensure(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    monkeypatch.setenv("LOCKSTEP_FIRST_PASSWORD", PASSWORD)
    output = io.StringIO()
    call_command("ensure_demo_users", *arguments, stdout=output)
    return output.getvalue().splitlines()


def test_it_makes_every_group_and_one_user_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ensure(monkeypatch)
    assert set(Group.objects.values_list("name", flat=True)) == set(permissions.ROLES)
    assert [line.split() for line in lines] == [
        ["login:", "admin", "admin"],
        ["login:", "olga", "operator"],
        ["login:", "ann", "release-manager"],
        ["login:", "oscar", "on-call"],
        ["login:", "vic", "viewer"],
        ["login:", "aud", "auditor"],
    ]
    for name, group in (line.split()[1:] for line in lines):
        assert [found.name for found in User.objects.get(username=name).groups.all()] == [group]


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
