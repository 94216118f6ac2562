"""Where a service lives: stage and region, one target database, perhaps a health URL."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from migrations_app.statuses import RehearsalPolicy


class DsnKind(models.TextChoices):
    STORED = "stored", "stored encrypted"
    ENV = "env", "environment variable"
    FILE = "file", "file"


class Reachability(models.TextChoices):
    OK = "ok", "reachable"
    UNREACHABLE = "unreachable", "unreachable"
    UNKNOWN = "unknown", "not checked"


class Environment(models.Model):
    """The head, position and lag here are the ledger's; the target's receipts decide."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    service = models.ForeignKey("Service", on_delete=models.PROTECT, related_name="environments", db_index=False)
    name = models.CharField(max_length=63)
    stage = models.CharField(max_length=63)
    region = models.CharField(max_length=63, blank=True)
    order = models.IntegerField(default=0)
    health_url = models.URLField(max_length=500, blank=True)

    # How long a run keeps trying for a lock before it gives up with nothing applied; null: the installation's default.
    lock_window_seconds = models.PositiveIntegerField(null=True)

    # When a run needs a fresh rehearsal, and for how many days one counts as fresh.
    rehearsal_policy = models.CharField(
        max_length=8, choices=RehearsalPolicy.choices, default=RehearsalPolicy.BY_STAGE, db_default="", blank=True
    )
    rehearsal_days = models.PositiveIntegerField(default=14, db_default=14)

    # How long a run may keep writers or readers of an existing table out, by what was measured on a clone; 0 lets any
    # lock pass.
    lock_budget_seconds = models.PositiveIntegerField(default=2, db_default=2)

    # The set of secrets that services here have to hold, by its name, and the one that is rotated to, while either will
    # do. Empty: not looked at. No secret is kept.
    secrets_rev = models.CharField(max_length=200, blank=True, db_default="")
    secrets_rev_next = models.CharField(max_length=200, blank=True, db_default="")

    dsn_kind = models.CharField(max_length=8, choices=DsnKind.choices)
    dsn_reference = models.CharField(max_length=500, blank=True)  # the name or path; empty when stored
    dsn_sealed = models.BinaryField(null=True)  # nonce + ciphertext, AES-GCM, uid as associated data
    dsn_key_id = models.CharField(max_length=63, blank=True)
    target_name = models.CharField(max_length=300, blank=True)  # user@host:port/database, without a password

    # A restored backup to rehearse on, kept like the target's address; an empty kind: none is named.
    backup_kind = models.CharField(max_length=8, choices=DsnKind.choices, blank=True, db_default="")
    backup_reference = models.CharField(max_length=500, blank=True, db_default="")
    backup_sealed = models.BinaryField(null=True)  # with uid + b"backup" as associated data
    backup_key_id = models.CharField(max_length=63, blank=True, db_default="")
    backup_name = models.CharField(max_length=300, blank=True, db_default="")

    system_identifier = models.CharField(max_length=40, blank=True)
    database_oid = models.BigIntegerField(null=True)
    server_version_num = models.IntegerField(null=True)
    reachability = models.CharField(max_length=12, choices=Reachability.choices, default=Reachability.UNKNOWN)
    reachability_note = models.CharField(max_length=500, blank=True)
    checked_at = models.DateTimeField(null=True)

    head_revision = models.CharField(max_length=200, blank=True)
    head_seq = models.BigIntegerField(default=0)
    reconciled_at = models.DateTimeField(null=True)
    # What the last reconciliation found wrong, one sentence; empty when receipts and ledger agree.
    reconcile_note = models.CharField(max_length=1000, blank=True)
    # The first receipt at which the ledger and the target part; null while the ledger follows from the receipts.
    differs_from = models.BigIntegerField(null=True)
    # What the last comparison counted in the target's receipts; the last three are 0 where nothing is wrong.
    receipts_seen = models.BigIntegerField(default=0, db_default=0)
    found_twice = models.IntegerField(default=0, db_default=0)
    found_out_of_order = models.IntegerField(default=0, db_default=0)
    found_changed = models.IntegerField(default=0, db_default=0)
    # Standing rows of the ledger, counted in the transaction that adds them.
    ledger_rows = models.BigIntegerField(default=0, db_default=0)
    # Grows with every new beginning; what was read before one is not written after it.
    ledger_epoch = models.IntegerField(default=1, db_default=1)

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["service_id", "order", "name"]
        constraints = [
            models.UniqueConstraint(fields=["service", "name"], name="environment_name_once"),
            models.UniqueConstraint(
                fields=["system_identifier", "database_oid"],
                condition=~models.Q(system_identifier=""),
                name="one_environment_per_database",
            ),
        ]

    def __str__(self) -> str:
        return self.name
