"""A version of a service's program, with the schemas it can work with; another version is another row."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from migrations_app.statuses import ReleaseStatus


class Release(models.Model):
    """A trigger refuses UPDATE, DELETE and TRUNCATE; what happens to a release later belongs into rows beside it."""

    # Without an index of its own: a longer one begins with it.
    service = models.ForeignKey("Service", on_delete=models.PROTECT, related_name="releases", db_index=False)
    release_id = models.CharField(max_length=200)
    schema_rev = models.CharField(max_length=200)  # the one it was built for
    schema_rev_min = models.CharField(max_length=200)
    schema_rev_max = models.CharField(max_length=200)
    index_hash = models.CharField(max_length=200, blank=True)
    secrets_rev = models.CharField(max_length=200, blank=True)  # names a set of secrets, and holds none
    commit = models.CharField(max_length=200, blank=True, db_default="")
    artefacts = models.JSONField(default=list, db_default=[])  # [[name, sha256]], by name
    # The revision that its schema_rev reached to when it was registered, and the chain up to there (rehearsals.chains).
    head_revision = models.CharField(max_length=200, blank=True, db_default="")
    chain = models.CharField(max_length=64, blank=True, db_default="")

    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["service", "release_id"], name="release_id_once")]
        indexes = [models.Index(fields=["service", "-id"], name="release_by_service")]

    def __str__(self) -> str:
        return self.release_id


class ReleaseState(models.Model):
    """What changes about a release. Its row is the lock under which gates are judged and changed."""

    release = models.OneToOneField(Release, on_delete=models.PROTECT, primary_key=True, related_name="state")
    # The one it began with, for good; null until then for releases that are older than catalogues.
    catalogue = models.ForeignKey("GateCatalogue", on_delete=models.PROTECT, related_name="+", null=True)
    status = models.CharField(max_length=12, choices=ReleaseStatus.choices, default=ReleaseStatus.DRAFT)
    version = models.PositiveIntegerField(default=1)  # grows with each change, so that a page knows
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(status=ReleaseStatus.READY), name="ready_is_never_stored")
        ]
