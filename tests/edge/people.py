"""Eight identities: one person per role, somebody disabled, and nobody."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import Group, User
from django.db import transaction

from migrations_app.permissions import ROLES

IDENTITIES = (*ROLES, "anonymous", "disabled")


def person(name: str, *roles: str) -> User:
    user = User.objects.create_user(name)
    user.groups.set([Group.objects.get_or_create(name=role)[0] for role in roles])
    return user


def identity(name: str) -> User | None:
    """The person for one of IDENTITIES; the disabled one holds every role and may nothing."""
    if name == "anonymous":
        return None
    if name != "disabled":
        return person(name, name)
    user = person(name, *ROLES)
    user.is_active = False
    user.save(update_fields=["is_active"])
    return user


def each_identity() -> Iterator[str]:
    """One after another on the same ground: what one did is undone before the next one comes."""
    for who in IDENTITIES:
        with transaction.atomic():
            yield who
            transaction.set_rollback(True)
