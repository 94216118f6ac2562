"""A look at one check by a worker: asked for by a person or by the clock, and what became of it is evidence."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class GateLook(models.Model):
    """Changed by releases.gates.looking alone, each time by a guarded UPDATE. A work list: ended ones are swept."""

    release = models.ForeignKey("Release", on_delete=models.PROTECT, related_name="looks", db_index=False)
    gate_key = models.CharField(max_length=63)
    check_key = models.CharField(max_length=63)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, null=True
    )  # null: the clock
    asked_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=1000, blank=True)  # why it led to no evidence

    # Only the holder of the newest token may write; times are by the control database's clock.
    token = models.BigIntegerField(default=0)
    attempt = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["release", "gate_key", "check_key"],
                condition=models.Q(ended_at=None),
                name="one_open_look_per_check",
            )
        ]
        indexes = [models.Index(fields=["release", "gate_key", "check_key", "-id"], name="look_by_check")]
