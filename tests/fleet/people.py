"""The administrator in whose name the fleet is changed, and what the audit kept of it."""

from __future__ import annotations

from django.contrib.auth.models import Group, User

from migrations_app.models import AuditEntry


def administrator(name: str = "adam") -> User:
    user, _ = User.objects.get_or_create(username=name)
    user.groups.add(Group.objects.get_or_create(name="admin")[0])
    return user


def audited() -> list[tuple[str, str]]:
    """Action and object of every entry, oldest first."""
    return [(one.data["action"], one.data["object"]) for one in AuditEntry.objects.order_by("seq")]
