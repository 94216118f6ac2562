"""Worker processes that have been heard of, by the database clock."""

from __future__ import annotations

from django.db import models


class WorkerProcess(models.Model):
    name = models.CharField(max_length=120, unique=True)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    redis_ok = models.BooleanField(default=True)
