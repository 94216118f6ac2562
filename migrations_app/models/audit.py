"""Who did what, hash-chained; rows enter through the database function audit_append alone."""

from __future__ import annotations

from django.db import models
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast


class AuditEntry(models.Model):
    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    body = models.TextField()  # canonical JSON; this text is what is hashed
    data = models.GeneratedField(
        expression=Cast("body", models.JSONField()), output_field=models.JSONField(), db_persist=True
    )
    prev_hash = models.BinaryField(unique=True)
    hash = models.BinaryField(unique=True)

    class Meta:
        ordering = ["-seq"]
        indexes = [
            models.Index(KeyTransform("object", "data"), models.F("seq"), name="audit_by_object"),
            models.Index(KeyTransform("request_id", "data"), models.F("seq"), name="audit_by_request"),
            models.Index(fields=["at"], name="audit_by_time"),
        ]
