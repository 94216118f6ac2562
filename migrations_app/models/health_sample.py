"""How this installation and each environment's own health stood, look by look, and the same in coarser steps."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

ITSELF = 0  # the place that is no environment: this installation


class HealthSample(models.Model):
    """One look in one slot of 15 s. The table is partitioned by day; a day is dropped after a week.

    Telemetry, written by a machine: `place` is an environment's number without a key, so that nothing waits for it.
    """

    pk = models.CompositePrimaryKey("place", "slot")
    place = models.BigIntegerField()
    slot = models.DateTimeField()
    at = models.DateTimeField(db_default=Now())
    status = models.CharField(max_length=10)  # healthy, degraded, unhealthy, or missed: nobody answered
    reason = models.CharField(max_length=63, blank=True)
    saturation = models.FloatField(null=True)  # 0 to 1, of the fullest pool; null: it was not told
    took_ms = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=300, blank=True)  # why it was missed


class HealthBucket(models.Model):
    """Five minutes of one place, made when they are over, kept for 90 days."""

    pk = models.CompositePrimaryKey("place", "begins")
    place = models.BigIntegerField()
    begins = models.DateTimeField()
    looks = models.PositiveSmallIntegerField()  # that were answered, of 20
    degraded = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=63, blank=True)  # the one that was told most often
    saturation = models.FloatField(null=True)  # the highest
    took_ms = models.PositiveIntegerField(null=True)  # the longest answer
