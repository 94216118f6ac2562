"""A chain of revisions tried on a clone of one environment's target, and what came of each of them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from migrations_app.models.run import Direction
from migrations_app.statuses import REHEARSAL_OPEN, RehearsalStatus, Verdict


class Ground(models.TextChoices):
    """Of what the clone is made."""

    TARGET = "target", "the target"
    BACKUP = "backup", "the restored backup"


class Rehearsal(models.Model):
    """`status` is changed by rehearsals.claims and rehearsals.actions alone, each by a guarded UPDATE."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    service = models.ForeignKey("Service", on_delete=models.PROTECT, related_name="rehearsals", db_index=False)
    environment = models.ForeignKey("Environment", on_delete=models.PROTECT, related_name="rehearsals", db_index=False)
    direction = models.CharField(max_length=4, choices=Direction.choices)  # down: of what is applied
    ground = models.CharField(max_length=6, choices=Ground.choices, default=Ground.TARGET, db_default=Ground.TARGET)
    from_revision = models.CharField(max_length=200, blank=True)  # the head when it was requested
    to_revision = models.CharField(max_length=200, blank=True)
    # [{"revision_id", "checksum", "down_checksum", "verify_checksum"}] in the order they are tried
    revisions = models.JSONField(default=list)

    status = models.CharField(max_length=10, choices=RehearsalStatus.choices, default=RehearsalStatus.QUEUED)
    doing = models.CharField(max_length=240, blank=True)  # what it is at, for a reader who waits
    cancel_asked = models.BooleanField(default=False)
    version = models.BigIntegerField(default=1)
    tally = models.JSONField(default=dict)  # verdict -> how many of its revisions have it so far
    # code, message, not_done, next_step of what ended it before each revision had a verdict
    error = models.JSONField(null=True)
    # {"name", "server", "seed", "tables": [{"name", "rows", "target_rows", "target_bytes", "whole"}], "ms"}, and of a
    # backup {"backup": {"name", "head", "seq", "last_receipt_at", "brought_up": [revision_id]}}
    clone = models.JSONField(null=True)
    target_fingerprint = models.CharField(max_length=80, blank=True)
    server_version_num = models.IntegerField(null=True)

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    token = models.BigIntegerField(default=0)  # grows with every claim; an older holder is fenced
    attempt = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=120, blank=True)
    clone_uid = models.UUIDField(null=True)  # of the attempt under way; a clone with another name is nobody's

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["environment"],
                condition=models.Q(status__in=sorted(REHEARSAL_OPEN)),
                name="one_open_rehearsal_per_environment",
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_until"], condition=models.Q(status__in=sorted(REHEARSAL_OPEN)), name="rehearsal_open"
            ),
            models.Index(fields=["environment", "-id"], name="rehearsal_by_environment"),
            models.Index(fields=["service", "-id"], name="rehearsal_by_service"),
        ]

    def __str__(self) -> str:
        return f"rehearsal {self.pk}"


class RevisionRehearsal(models.Model):
    """One revision's part, bound to the bytes, the chain and the schema that it was tried with; written once."""

    rehearsal = models.ForeignKey(Rehearsal, on_delete=models.CASCADE, related_name="parts", db_index=False)
    environment = models.ForeignKey("Environment", on_delete=models.CASCADE, related_name="+", db_index=False)
    ordinal = models.IntegerField()
    revision_id = models.CharField(max_length=200)
    checksum = models.CharField(max_length=80)
    down_checksum = models.CharField(max_length=80, blank=True)
    verify_checksum = models.CharField(max_length=80, blank=True)
    chain = models.CharField(max_length=64)  # sha256 over the ids and checksums up to and with this revision
    fp_before = models.CharField(max_length=80, blank=True)
    fp_after = models.CharField(max_length=80, blank=True)
    fp_back = models.CharField(max_length=80, blank=True)
    server_version_num = models.IntegerField()

    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    losses = models.JSONField(default=list)  # [{"kind", "object", "sentence", "count"}]
    unfilled = models.JSONField(default=list)  # [{"relation", "column", "same"}], of the way back
    stages = models.JSONField(default=list)  # [{"name", "ms"}]
    traces = models.JSONField(default=list)  # of the up script, engine.clone.trace.StatementTrace
    down_traces = models.JSONField(default=list)
    error = models.JSONField(null=True)
    finished_at = models.DateTimeField()

    class Meta:
        ordering = ["rehearsal_id", "ordinal"]
        constraints = [models.UniqueConstraint(fields=["rehearsal", "ordinal"], name="revision_rehearsal_once")]
        indexes = [models.Index(fields=["environment", "revision_id", "-id"], name="rehearsal_of_revision")]


class RehearsalLine(models.Model):
    """One line of a rehearsal's log."""

    rehearsal = models.ForeignKey(Rehearsal, on_delete=models.CASCADE, related_name="log", db_index=False)
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    level = models.CharField(max_length=7)
    revision_id = models.CharField(max_length=200, blank=True)
    message = models.TextField()

    class Meta:
        ordering = ["rehearsal_id", "seq"]
        constraints = [models.UniqueConstraint(fields=["rehearsal", "seq"], name="rehearsal_line_once")]
