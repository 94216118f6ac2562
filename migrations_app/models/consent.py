"""A roll-back on production that loses something: one person asks for it, another one grants it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from migrations_app.statuses import ConsentStatus


class RollbackConsent(models.Model):
    """Bound to the plan and to the losses as both people saw them; granting it starts the run."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    environment = models.ForeignKey("Environment", on_delete=models.PROTECT, related_name="consents", db_index=False)
    to = models.CharField(max_length=200, blank=True)  # as in a request for a run; empty: one step back
    plan = models.CharField(max_length=64)  # admission.blast's fingerprint
    losses = models.JSONField(default=list)  # [[revision_id, sentence]]
    losses_hash = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=ConsentStatus.choices, default=ConsentStatus.ASKED)

    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(max_length=500)
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    decided_reason = models.CharField(max_length=500, blank=True)
    run = models.OneToOneField("Run", on_delete=models.PROTECT, related_name="consent", null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["environment"],
                condition=models.Q(status=ConsentStatus.ASKED),
                name="one_open_consent_per_environment",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=ConsentStatus.GRANTED) | ~models.Q(asked_by=models.F("decided_by")),
                name="nobody_grants_what_they_asked",
            ),
        ]
        indexes = [models.Index(fields=["environment", "-id"], name="consent_by_environment")]

    def __str__(self) -> str:
        return f"consent {self.pk}"
