"""A release's gates: the catalogue, what was reported, who signed exactly what, and who let something pass.

Triggers refuse UPDATE, DELETE and TRUNCATE on all of it, and an entry that four eyes did not see: what takes something
back is a row of its own.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from migrations_app.statuses import CheckKind, EvidenceStatus, WaiverVerb

LONGEST_WAIVER = timedelta(days=7)


class GateCatalogue(models.Model):
    """One version of the gates and their checks; without a service it is for all that have none of their own."""

    # Without an index of its own: a longer one begins with it.
    service = models.ForeignKey(
        "Service", on_delete=models.PROTECT, related_name="catalogues", null=True, db_index=False
    )
    version = models.PositiveIntegerField()
    content = models.JSONField()  # as releases.gates.catalogue reads it
    sha256 = models.CharField(max_length=64)  # of the content as canonical JSON
    note = models.CharField(max_length=500)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["service", "version"], name="catalogue_version_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"v{self.version}"


class EvidenceArtefact(models.Model):
    """A file that somebody attached, kept once by its hash. It is handed out as a download and never opened here."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    content = models.BinaryField()
    size = models.PositiveIntegerField()  # bytes
    created_at = models.DateTimeField(db_default=Now())


class GateEvidence(models.Model):
    """One report about one check. A name that the catalogue does not know is kept too: it may have been renamed."""

    release = models.ForeignKey("Release", on_delete=models.PROTECT, related_name="evidence", db_index=False)
    gate_key = models.CharField(max_length=63)
    check_key = models.CharField(max_length=63)
    status = models.CharField(max_length=4, choices=EvidenceStatus.choices)
    source = models.CharField(max_length=8, choices=CheckKind.choices)
    producer = models.CharField(max_length=200)  # who found it out: a job, an address, a person
    summary = models.CharField(max_length=2000)
    detail = models.JSONField(default=dict, blank=True)  # what was measured, where a worker did
    commit = models.CharField(max_length=200, blank=True)
    # What a signature binds: a report of its own, or for what is looked at again and again the outcome.
    identity = models.CharField(max_length=64)
    artefact_name = models.CharField(max_length=300, blank=True)
    artefact_sha256 = models.CharField(max_length=64, blank=True)
    artefact = models.ForeignKey(EvidenceArtefact, on_delete=models.PROTECT, related_name="evidence", null=True)
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["release", "gate_key", "check_key", "-id"], name="evidence_by_check")]


class GateSignature(models.Model):
    """A person's name under one gate's evidence set. It counts while that set is what stands."""

    release = models.ForeignKey("Release", on_delete=models.PROTECT, related_name="signatures", db_index=False)
    gate_key = models.CharField(max_length=63)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    roles = models.JSONField(default=list)  # those the signer had then
    evidence_hash = models.CharField(max_length=64)
    parts = models.JSONField(default=dict)  # what the hash was made of, so that a later difference has a name
    comment = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["release", "gate_key", "-id"], name="signature_by_gate")]


class SignatureWithdrawal(models.Model):
    signature = models.OneToOneField(GateSignature, on_delete=models.PROTECT, related_name="withdrawal")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=500)
    at = models.DateTimeField(db_default=Now())


class GateWaiver(models.Model):
    """Somebody asks to let one check pass for a while; it counts once another person approved it."""

    release = models.ForeignKey("Release", on_delete=models.PROTECT, related_name="waivers", db_index=False)
    gate_key = models.CharField(max_length=63)
    check_key = models.CharField(max_length=63)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=500)
    requested_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__lte=models.F("requested_at") + LONGEST_WAIVER)
                & models.Q(expires_at__gt=models.F("requested_at")),
                name="waiver_ends_within_a_week",
            )
        ]
        indexes = [models.Index(fields=["release", "gate_key", "check_key", "-id"], name="waiver_by_check")]


class WaiverDecision(models.Model):
    """What became of a waiver; a trigger refuses whoever asked for it, the release's author, and a wrong order."""

    waiver = models.ForeignKey(GateWaiver, on_delete=models.PROTECT, related_name="decisions", db_index=False)
    verb = models.CharField(max_length=8, choices=WaiverVerb.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["waiver", "verb"], name="waiver_decided_once")]
