"""A user's SQL change: up, down, verify, a parent and checksums."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from migrations_app.statuses import Phase


class Revision(models.Model):
    """`parent` is what counts; `declared_parent` is null when name order decides."""

    service = models.ForeignKey("Service", on_delete=models.PROTECT, related_name="revisions", db_index=False)
    revision_id = models.CharField(max_length=200)
    parent = models.CharField(max_length=200, blank=True)
    declared_parent = models.CharField(max_length=200, null=True)  # noqa: DJ001  '' means "first"
    position = models.IntegerField()  # 1-based place in the chain
    schema_rev = models.CharField(max_length=200, blank=True)
    phase = models.CharField(max_length=10, choices=Phase.choices, default=Phase.EXPAND)

    up = models.TextField()
    down = models.TextField(null=True)  # noqa: DJ001  null: irreversible; '' is a file that does nothing
    verify = models.TextField(null=True)  # noqa: DJ001
    checksum = models.CharField(max_length=80)
    down_checksum = models.CharField(max_length=80, blank=True)
    verify_checksum = models.CharField(max_length=80, blank=True)
    # engine.sql.script.Script as JSON, so that nothing has to be parsed while a run holds a lock.
    up_script = models.JSONField()
    down_script = models.JSONField(null=True)
    verify_script = models.JSONField(null=True)

    # Other bytes were offered for this id after it had been applied; they were refused and are never run.
    refused_checksum = models.CharField(max_length=80, blank=True)
    refused_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["service_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["service", "revision_id"], name="revision_id_once"),
            models.UniqueConstraint(
                fields=["service", "parent"],
                name="one_child_per_parent",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.UniqueConstraint(
                fields=["service", "position"],
                name="one_revision_per_place",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]

    def __str__(self) -> str:
        return self.revision_id
