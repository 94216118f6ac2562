"""From where on what health measures is told as a warning."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Thresholds:
    degraded_alert_seconds: float = 300
    pool_saturation_warning: float = 0.90
    pool_saturation_critical: float = 1.0
    restart_churn_window_seconds: float = 600
    restart_churn_threshold: float = 3


def thresholds() -> Thresholds:
    return Thresholds(**settings.RESILIENCE)
