"""The made-up users; nobody can sign in as one that is new here."""

from __future__ import annotations

from django.contrib.auth.models import Group, User

from migrations_app.permissions import ADMIN, AUDITOR, ON_CALL, OPERATOR, RELEASE_MANAGER, ROLES, VIEWER

# Who asks for runs comes first.
PEOPLE = (
    ("olga", OPERATOR), ("oscar", ON_CALL), ("ann", RELEASE_MANAGER), ("omar", OPERATOR), ("oda", OPERATOR),
    ("ole", OPERATOR), ("orla", OPERATOR), ("otto", OPERATOR), ("ruth", RELEASE_MANAGER), ("ravi", RELEASE_MANAGER),
    ("cleo", ON_CALL), ("cem", ON_CALL),
    ("vic", VIEWER), ("vera", VIEWER), ("viggo", VIEWER), ("vida", VIEWER), ("aud", AUDITOR), ("abel", AUDITOR),
    ("admin", ADMIN), ("ada", ADMIN),
)  # fmt: skip
HANDS = 12


def ensure_people() -> list[User]:
    """In the order of PEOPLE; a user who exists stays as it is."""
    groups = {role: Group.objects.get_or_create(name=role)[0] for role in ROLES}
    return [_ensure(name, groups[role]) for name, role in PEOPLE]


def _ensure(name: str, group: Group) -> User:
    known = User.objects.filter(username=name).first()
    if known is not None:
        return known
    user = User.objects.create_user(name)
    user.groups.add(group)
    return user
