"""The edge: where browser and API clients meet the domain. It has no models."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        user_logged_in.connect(_signed_in, dispatch_uid="the password was given")


def _signed_in(request: HttpRequest | None, **_: object) -> None:
    """Signing in takes the password, so it is not asked for again at once."""
    from dashboard import stepup

    if request is not None and hasattr(request, "session"):
        stepup.given(request)
