"""What each web process last told of itself, by the database clock."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class WebProcess(models.Model):
    """A row is written over every five seconds and removed when its process ends, or later by another one."""

    name = models.CharField(max_length=120, unique=True)  # host and process id
    worker_pid = models.IntegerField()
    started_at = models.DateTimeField()
    sampled_at = models.DateTimeField(db_default=Now())
    pool = models.JSONField(null=True)  # null: it has none, or has not used it yet
    breaker = models.JSONField()
    route_cache = models.JSONField()
    contract = models.CharField(max_length=64)  # the fingerprint it was started under
