"""The control plane's copy of receipts: a projection, corrected from the targets, never the reverse."""

from __future__ import annotations

from django.db import models


class LedgerQuerySet(models.QuerySet["LedgerEntry"]):
    def standing(self) -> LedgerQuerySet:
        """Without rows of an earlier beginning: every count and comparison looks at these alone."""
        return self.filter(superseded_at=None)


class LedgerEntry(models.Model):
    """A row is never changed or deleted, only superseded: when a person accepts a target that lacks its receipt."""

    environment = models.ForeignKey("Environment", on_delete=models.PROTECT, related_name="ledger", db_index=False)
    seq = models.BigIntegerField()
    revision_id = models.CharField(max_length=200)
    parent = models.CharField(max_length=200, blank=True)
    direction = models.CharField(max_length=4)
    cycle = models.IntegerField()
    checksum = models.CharField(max_length=80)
    phase = models.CharField(max_length=10)
    schema_rev = models.CharField(max_length=200, blank=True)
    applied_at = models.DateTimeField()
    operator = models.CharField(max_length=150)
    run_uid = models.UUIDField()
    run = models.ForeignKey("Run", on_delete=models.SET_NULL, null=True, related_name="ledger")
    fence = models.BigIntegerField()
    fp_before = models.CharField(max_length=80)
    fp_after = models.CharField(max_length=80)
    duration_ms = models.BigIntegerField(null=True)
    server_version_num = models.IntegerField(null=True)
    seen_at = models.DateTimeField()  # when the receipt was last read in the target
    superseded_at = models.DateTimeField(null=True)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ["-applied_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "seq"],
                condition=models.Q(superseded_at=None),
                name="standing_ledger_seq_once",
            )
        ]
        indexes = [
            models.Index(fields=["-applied_at", "-id"], name="ledger_newest"),
            models.Index(fields=["environment", "-applied_at", "-id"], name="ledger_by_environment"),
            models.Index(fields=["operator", "-applied_at", "-id"], name="ledger_by_operator"),
            # Few rows go backward, and whoever looks for them looks for something else besides.
            models.Index(fields=["-applied_at", "-id"], condition=models.Q(direction="down"), name="ledger_backward"),
            # For an id and for its beginning, which the default order of a text index cannot find.
            models.Index(fields=["revision_id"], name="ledger_revision", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["superseded_at"], condition=~models.Q(superseded_at=None), name="ledger_superseded"),
        ]


class Match(models.TextChoices):
    """Whether what stands applied is what the service's chain holds under that id."""

    SAME = "same", "the same bytes"
    OTHER = "other", "other bytes"
    UNKNOWN = "unknown", "no revision of the chain"


class AppliedRevision(models.Model):
    """What stands applied where: the ledger's `lockstep.applied`. `match` is kept by triggers, never by code."""

    environment = models.ForeignKey("Environment", on_delete=models.PROTECT, related_name="applied", db_index=False)
    revision_id = models.CharField(max_length=200)
    seq = models.BigIntegerField()
    checksum = models.CharField(max_length=80)
    applied_at = models.DateTimeField()
    match = models.CharField(max_length=7, choices=Match.choices, default=Match.SAME, db_default=Match.SAME)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "revision_id"], name="applied_once_per_environment")
        ]
        indexes = [
            models.Index(fields=["revision_id", "environment"], include=["checksum"], name="applied_by_revision"),
            models.Index(fields=["environment"], condition=models.Q(match="other"), name="applied_other_bytes"),
        ]


class AppliedTally(models.Model):
    """How many revisions of the chain stand applied in an environment. Triggers keep it; `version` grows with each
    change of what is applied there."""

    environment = models.OneToOneField("Environment", on_delete=models.CASCADE, primary_key=True, related_name="tally")
    applied = models.IntegerField()
    version = models.BigIntegerField()


class ChainTally(models.Model):
    """Grows with each change of a service's chain. Triggers keep it."""

    service = models.OneToOneField("Service", on_delete=models.CASCADE, primary_key=True, related_name="chain")
    version = models.BigIntegerField()
