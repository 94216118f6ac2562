"""What the last check of the audit chain found, so that a page need not recompute hashes to know."""

from __future__ import annotations

from django.db import models


class AuditCheck(models.Model):
    """One row, overwritten by each check; it proves nothing by itself, the chain does."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    checked_at = models.DateTimeField()
    took_ms = models.BigIntegerField()
    ok = models.BooleanField()
    checked = models.BigIntegerField()
    head_seq = models.BigIntegerField()
    head_hash = models.CharField(max_length=64)
    sentence = models.CharField(max_length=500)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_check_is_one")]
