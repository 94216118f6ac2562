"""What is compared, when it was broken, and what people did about that."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class AlertThreshold(models.Model):
    """One version of a rule's figures. A row is never changed; the newest of a rule and place counts."""

    rule = models.CharField(max_length=20)  # a key of alerts.catalogue
    place = models.BigIntegerField(null=True)  # an environment, 0 for this installation; null: where none is its own
    version = models.PositiveIntegerField()
    figures = models.JSONField()  # name: number, as the rule has them
    on = models.BooleanField(default=True)
    note = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["rule", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "place", "version"], nulls_distinct=False, name="threshold_version_once"
            )
        ]


class AlertState(models.Model):
    """How a rule stood at a place when it was last judged; one row, written over."""

    pk = models.CompositePrimaryKey("rule", "place")
    rule = models.CharField(max_length=20)
    place = models.BigIntegerField()
    slot = models.DateTimeField()  # of the newest look that was judged
    standing = models.CharField(max_length=8)  # a rules.Standing
    value = models.FloatField(null=True)
    limit = models.FloatField()
    sentence = models.CharField(max_length=500)
    figures = models.JSONField()
    threshold_version = models.PositiveIntegerField()
    # What counts so far, kept while nobody answers; null: nothing does.
    since = models.DateTimeField(null=True)
    count = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(null=True)


class AlertEpisode(models.Model):
    """From when a rule fired at a place until it no longer did; open while `resolved_at` is empty."""

    rule = models.CharField(max_length=20)
    place = models.BigIntegerField()
    figures = models.JSONField()  # those it fired by
    threshold_version = models.PositiveIntegerField()  # 0: the figures that Lockstep comes with
    since = models.DateTimeField()  # when what counts began, before it fired
    fired_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())  # when it was last found firing
    sentence = models.CharField(max_length=500)  # the arithmetic as it last stood
    resolved_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "place"], condition=models.Q(resolved_at=None), name="one_open_episode"
            ),
            models.CheckConstraint(
                condition=models.Q(acknowledged_by=None, acknowledged_at=None)
                | models.Q(acknowledged_by__isnull=False, acknowledged_at__isnull=False),
                name="acknowledged_by_somebody",
            ),
        ]


class AlertEvent(models.Model):
    """A line of an episode's timeline; `by` empty: Lockstep itself."""

    episode = models.ForeignKey(AlertEpisode, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=12)  # fired, acknowledged, note, unknown, known, resolved
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    text = models.CharField(max_length=500)

    class Meta:
        ordering = ["id"]
