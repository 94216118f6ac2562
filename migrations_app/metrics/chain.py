"""The last check of the audit chain."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import F
from django.db.models.functions import Now
from prometheus_client.core import Metric

from migrations_app.metrics.telling import gauge
from migrations_app.models import AuditCheck


def read() -> Iterator[Metric]:
    """One query. Where it was never checked there is no figure."""
    found = AuditCheck.objects.annotate(age=Now() - F("checked_at")).filter(id=1)
    for name, told, values in (
        ("ok", "1 where the last check of the audit chain found nothing", [float(row.ok) for row in found]),
        ("checked_age_seconds", "Since the audit chain was last checked", [row.age.total_seconds() for row in found]),
        (
            "checked_entries",
            "Entries that the last check of the audit chain read",
            [float(row.checked) for row in found],
        ),
    ):
        yield gauge(f"lockstep_audit_chain_{name}", told, (), [((), value) for value in values])
