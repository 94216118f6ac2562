"""When the head of the audit chain was noted outside the database, and whether that came through."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class AuditAnchor(models.Model):
    """One attempt; triggers refuse UPDATE, DELETE and TRUNCATE. The note outside proves something, not this row."""

    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=Now())
    file_ok = models.BooleanField()
    webhook_ok = models.BooleanField(null=True)  # null: none is set up
    note = models.CharField(max_length=500, blank=True)  # what did not come through, and why

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["-at"], name="anchor_by_time")]
