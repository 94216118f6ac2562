"""Django's handle on the domain."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def ensure_roles(sender: AppConfig, **kwargs: Any) -> None:
    """Make the six roles exist, after a migrate and after a test's flush."""
    from django.contrib.auth.models import Group

    from migrations_app.permissions import ROLES

    using = kwargs["using"]
    for role in ROLES:
        Group.objects.using(using).get_or_create(name=role)


class LockstepConfig(AppConfig):
    name = "migrations_app"
    verbose_name = "Lockstep"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from migrations_app import checks  # noqa: F401  registers the system checks
        from migrations_app.jobs import launcher
        from migrations_app.runs import actions

        post_migrate.connect(ensure_roles, sender=self)
        actions.on_wake(launcher.wake)
