"""The edge: where browser and API clients meet the domain. It has no models."""

from __future__ import annotations

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
