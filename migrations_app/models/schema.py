"""What was read of targets' schemas: definitions and whole contents by their hash, readings, and what differs."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class SchemaDefinition(models.Model):
    """The text of an object's definition, kept once however many objects and environments have it."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    definition = models.TextField()


class SchemaContent(models.Model):
    """A whole schema by its fingerprint: environments that are alike share the row."""

    fingerprint = models.CharField(primary_key=True, max_length=80)
    logical = models.CharField(max_length=64)  # without the order of columns
    shape = models.CharField(max_length=64)  # and without privileges, owners and comments
    size = models.IntegerField()
    objects_read = models.JSONField()  # [[kind, name, sha256 of the definition, position], …] in order
    used_at = models.DateTimeField(db_default=Now())  # when it was last read anywhere


class Source(models.TextChoices):
    """What made somebody look."""

    RUN = "run", "after a run"
    SCHEDULE = "schedule", "on schedule"
    PERSON = "person", "asked for"


class SchemaReading(models.Model):
    """One look at a target's schema. The same seen again moves `seen_until`; something else is a new row."""

    environment = models.ForeignKey("Environment", on_delete=models.CASCADE, related_name="readings", db_index=False)
    content = models.ForeignKey(SchemaContent, on_delete=models.PROTECT, related_name="readings")
    head_seq = models.BigIntegerField()
    head_revision = models.CharField(max_length=200, blank=True)
    server_version_num = models.IntegerField()
    source = models.CharField(max_length=8, choices=Source.choices)
    taken_at = models.DateTimeField()
    seen_until = models.DateTimeField()
    # Whether it is what the receipts left; null where nothing says what that is.
    agrees = models.BooleanField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["environment", "-id"], name="reading_by_environment")]


class Known(models.TextChoices):
    """What says how the schema has to look."""

    NOTHING = "", "nothing yet"
    RECEIPT = "receipt", "the newest receipt"
    READING = "reading", "the first reading at this revision"
    ACCEPTED = "accepted", "what a person accepted"


class SchemaState(models.Model):
    """How an environment's schema stands and when it is looked at next; what is wanted of drift there."""

    environment = models.OneToOneField("Environment", on_delete=models.CASCADE, primary_key=True, related_name="schema")
    reading = models.ForeignKey(SchemaReading, on_delete=models.SET_NULL, null=True, related_name="+")
    read_at = models.DateTimeField(null=True)  # the last time that reading worked
    tried_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=500, blank=True)  # why the last try did not; empty when it did
    due_at = models.DateTimeField(db_default=Now())
    clean_at = models.DateTimeField(null=True)  # the last time it was as its receipts left it
    # A revision of which steps are done and no receipt is written: nothing is judged until it is finished.
    half_done = models.CharField(max_length=200, blank=True)

    expected = models.CharField(max_length=80, blank=True)  # the fingerprint that counts
    expected_by = models.CharField(max_length=8, choices=Known.choices, default=Known.NOTHING, blank=True)
    expected_after = models.CharField(max_length=80, blank=True)  # the receipt after which it counts
    expected_major = models.IntegerField(null=True)
    expected_since = models.DateTimeField(null=True)

    # Null: as its stage says, production blocks.
    drift_blocks = models.BooleanField(null=True)
    watched = models.BooleanField(default=False, db_default=False)  # Lockstep's event triggers are in the target


class DriftState(models.TextChoices):
    OPEN = "open", "open"
    IGNORED = "ignored", "ignored"
    ADOPTING = "adopting", "adoption planned"
    REVERTING = "reverting", "revert planned"
    ADOPTED = "adopted", "adopted by a revision"
    REVERTED = "reverted", "reverted by a revision"
    ACCEPTED = "accepted", "accepted"
    CARRIED = "carried", "carried into a receipt"
    GONE = "gone", "gone"


STANDING = frozenset({DriftState.OPEN, DriftState.IGNORED, DriftState.ADOPTING, DriftState.REVERTING})


class Way(models.TextChoices):
    """How a revision ends a drift: it makes what was found everywhere, or it takes it back."""

    ADOPT = "adopt", "adopts it"
    REVERT = "revert", "takes it back"


class SchemaDrift(models.Model):
    """An episode: from the reading that found a target otherwise than its receipts left it to its end."""

    environment = models.ForeignKey("Environment", on_delete=models.CASCADE, related_name="drifts", db_index=False)
    state = models.CharField(max_length=9, choices=DriftState.choices, default=DriftState.OPEN)
    found_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    last_clean_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    head_seq = models.BigIntegerField()
    head_revision = models.CharField(max_length=200, blank=True)
    server_version_num = models.IntegerField()
    expected = models.CharField(max_length=80)
    expected_by = models.CharField(max_length=8, choices=Known.choices)
    # What it is compared with: the expected content where it was ever read, else the last clean reading's.
    baseline = models.ForeignKey(SchemaContent, on_delete=models.PROTECT, null=True, related_name="+")
    found = models.ForeignKey(SchemaContent, on_delete=models.PROTECT, related_name="+")
    differences = models.IntegerField(null=True)
    summary = models.CharField(max_length=500, blank=True)
    # Who did it, as the target's own log tells: each engine.target.ddl_log.Change as an object.
    changed_by = models.JSONField(default=list)

    ignore_until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    # The revision that was uploaded to end it, by its id and the bytes of its up file; kept while it is ignored.
    way = models.CharField(max_length=6, choices=Way.choices, blank=True, db_default="")
    revision_id = models.CharField(max_length=200, blank=True, db_default="")
    revision_checksum = models.CharField(max_length=80, blank=True, db_default="")
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    planned_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["environment"],
                condition=models.Q(state__in=sorted(STANDING)),
                name="one_standing_drift_per_environment",
            )
        ]
        indexes = [models.Index(fields=["environment", "-id"], name="drift_by_environment")]
