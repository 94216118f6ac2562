"""What starts: the versions that the nodes of an environment run, and how each attempt to start went.

Telemetry, written by machines, without audit entries and swept when it is old, but for the count of failures. What
people do about nodes is audited.
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from migrations_app.statuses import BootOutcome


class NodeReport(models.Model):
    """A node's newest report. One that is retired, or silent for long, is no member any more."""

    environment = models.ForeignKey("Environment", on_delete=models.CASCADE, related_name="nodes", db_index=False)
    node = models.CharField(max_length=200)
    release_id = models.CharField(max_length=200, blank=True)
    schema_rev = models.CharField(max_length=200, blank=True)
    index_hash = models.CharField(max_length=200, blank=True)
    secrets_rev = models.CharField(max_length=200, blank=True)
    probes_ok = models.BooleanField(null=True)  # null: it did not say
    at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["node"]
        constraints = [models.UniqueConstraint(fields=["environment", "node"], name="node_once_per_environment")]

    def __str__(self) -> str:
        return self.node


class BootAttempt(models.Model):
    """One start of a service, from the first question to its end; `boot` is the id that the starting node made up."""

    environment = models.ForeignKey("Environment", on_delete=models.CASCADE, related_name="boots", db_index=False)
    node = models.CharField(max_length=200, blank=True)
    boot = models.CharField(max_length=100)
    release_id = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(db_default=Now())
    phase = models.CharField(max_length=63)  # the one it ended in; the last one where it was allowed
    outcome = models.CharField(max_length=8, choices=BootOutcome.choices)
    reasons = models.JSONField(default=list)  # [[code, sentence]], those of the last answer
    tries = models.PositiveIntegerField(default=1)
    first_request_ok = models.BooleanField(null=True)  # told afterwards, or never

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["environment", "boot"], name="boot_once_per_environment")]
        indexes = [models.Index(fields=["environment", "-id"], name="boot_by_environment")]


class BootFailure(models.Model):
    """How many starts failed so far. Attempts are swept and this is not, so that it only grows."""

    phase = models.CharField(max_length=63)
    reason = models.CharField(max_length=63)  # the code of the first reason
    count = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["phase", "reason"], name="boot_failure_counted_once")]
