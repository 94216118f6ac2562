"""The edge: where browser and API clients meet the domain. It has no models."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        user_logged_in.connect(_signed_in, dispatch_uid="the password was given")
        if settings.HEALTH_CONNECTIONS:
            connection_created.connect(_watched, dispatch_uid="how long queries take")


def _watched(connection: BaseDatabaseWrapper, **_: object) -> None:
    from dashboard.health import timing

    timing.watch(connection)


def _signed_in(request: HttpRequest | None, **_: object) -> None:
    """Signing in takes the password, so it is not asked for again at once."""
    from dashboard import stepup

    if request is not None and hasattr(request, "session"):
        stepup.given(request)
