"""`manage.py ensure_demo_users`: the groups, and first users with the password in LOCKSTEP_FIRST_PASSWORD.

A user that exists is never changed. Each user who still has that password is printed as `login: NAME  GROUP`.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand
from django.db import transaction

from migrations_app import permissions


@dataclass(frozen=True)
class FirstUser:
    """A user to create and the groups it is in."""

    name: str
    groups: tuple[str, ...]


# Whoever installs Lockstep can do everything once; production should split these between people.
ADMINISTRATOR = FirstUser("admin", (permissions.ADMIN, permissions.RELEASE_MANAGER, permissions.OPERATOR))
OTHERS = (
    FirstUser("olga", (permissions.OPERATOR,)),
    FirstUser("ann", (permissions.RELEASE_MANAGER,)),
    FirstUser("oscar", (permissions.ON_CALL,)),
    FirstUser("vic", (permissions.VIEWER,)),
    FirstUser("aud", (permissions.AUDITOR,)),
)


class Command(BaseCommand):
    """Create what is missing."""

    help = "Create the groups and the first users; existing users stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One option."""
        parser.add_argument("--admin-only", action="store_true", help="create only the user admin")

    def handle(self, *_: object, **options: Any) -> None:
        """Print the logins that still work with the first password."""
        password = os.environ.get("LOCKSTEP_FIRST_PASSWORD", "")
        if not password:
            self.stderr.write("LOCKSTEP_FIRST_PASSWORD is not set; it wants the first users' password.")
            sys.exit(1)
        wanted = (ADMINISTRATOR,) if options["admin_only"] else (ADMINISTRATOR, *OTHERS)
        for first in ensure_users(wanted, password=password):
            self.stdout.write(f"login: {first.name:<8}  {', '.join(first.groups)}")


@transaction.atomic
def ensure_users(wanted: tuple[FirstUser, ...], *, password: str) -> list[FirstUser]:
    """Create missing groups and users; return those whose password is still the first one."""
    for role in permissions.ROLES:
        Group.objects.get_or_create(name=role)
    return [first for first in wanted if _ensure_user(first, password).check_password(password)]


def _ensure_user(first: FirstUser, password: str) -> User:
    known = User.objects.filter(username=first.name).first()
    if known is not None:
        return known
    user = User.objects.create_user(first.name, password=password)
    user.groups.set(Group.objects.filter(name__in=first.groups))
    return user
