"""A release carried over its environments, the glass that two people may break for it, and what runs where."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from migrations_app.statuses import CUTOVER_OPEN, CutoverStatus, CutoverStepStatus


class BreakGlass(models.Model):
    """Cut over although gates block: one person asks with a reason, and only with another's name does it count.

    Rows are never changed; `blockers` is what both people saw.
    """

    release = models.ForeignKey("Release", on_delete=models.PROTECT, related_name="glass")
    blockers = models.JSONField(default=list)  # [[gate, sentence]]
    blockers_hash = models.CharField(max_length=64)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=500)
    asked_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]


class BreakGlassAnswer(models.Model):
    """The second person's; a trigger refuses whoever asked."""

    glass = models.OneToOneField(BreakGlass, on_delete=models.PROTECT, related_name="answer")
    granted = models.BooleanField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(db_default=Now())


class Cutover(models.Model):
    """Created only in a transaction that judged every gate anew; a trigger looks at the commit once more."""

    service = models.ForeignKey("Service", on_delete=models.PROTECT, related_name="cutovers", db_index=False)
    release = models.ForeignKey("Release", on_delete=models.PROTECT, related_name="cutovers")
    glass = models.OneToOneField(BreakGlass, on_delete=models.PROTECT, related_name="cutover", null=True)
    status = models.CharField(max_length=12, choices=CutoverStatus.choices, default=CutoverStatus.RUNNING)
    sentence = models.CharField(max_length=1000, blank=True)  # why it halted, or how it ended
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    # The SQL that was judged, as releases.gates.reading.revisions_hash tells it: other SQL is not started.
    revisions_hash = models.CharField(max_length=64, blank=True)
    # The targets that were judged, when it began or when it was last told to go on: others get no run.
    targets_hash = models.CharField(max_length=64, blank=True)
    # Who decided about it last: their name goes into the runs that follow.
    acting = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    back_since = models.DateTimeField(null=True)  # from when on it only leads back
    back_reason = models.CharField(max_length=500, blank=True)  # what was said last about that
    planned_from = models.DateTimeField(null=True)
    planned_until = models.DateTimeField(null=True)
    past_window = models.BooleanField(default=False, db_default=False)  # somebody had it go on after the window's end
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["service"],
                condition=models.Q(status__in=sorted(CUTOVER_OPEN)),
                name="one_open_cutover_per_service",
            ),
            models.CheckConstraint(
                condition=models.Q(planned_until=None) | models.Q(planned_from__lt=models.F("planned_until")),
                name="cutover_window_has_an_order",
            ),
        ]
        indexes = [models.Index(fields=["service", "-id"], name="cutover_by_service")]


class CutoverGate(models.Model):
    """How one gate stood in the transaction that created the cutover; never changed."""

    cutover = models.ForeignKey(Cutover, on_delete=models.PROTECT, related_name="gates", db_index=False)
    gate_key = models.CharField(max_length=63)
    state = models.CharField(max_length=14)
    evidence_hash = models.CharField(max_length=64)
    signers = models.JSONField(default=list)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["cutover", "gate_key"], name="cutover_gate_once")]


class CutoverStep(models.Model):
    """One environment of the plan and its runs there and back."""

    cutover = models.ForeignKey(Cutover, on_delete=models.PROTECT, related_name="steps", db_index=False)
    ordinal = models.PositiveIntegerField()
    environment = models.ForeignKey("Environment", on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=12, choices=CutoverStepStatus.choices, default=CutoverStepStatus.PENDING)
    from_revision = models.CharField(max_length=200, blank=True)
    to_revision = models.CharField(max_length=200, blank=True)
    run = models.OneToOneField("Run", on_delete=models.PROTECT, related_name="cutover_step", null=True)
    back_run = models.OneToOneField("Run", on_delete=models.PROTECT, related_name="cutover_way_back", null=True)
    sentence = models.CharField(max_length=1000, blank=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["cutover", "ordinal"], name="cutover_step_once"),
            models.UniqueConstraint(fields=["cutover", "environment"], name="cutover_environment_once"),
        ]


class EnvironmentRelease(models.Model):
    """Which release an environment runs, and ran before; one row is open at most."""

    environment = models.ForeignKey("Environment", on_delete=models.PROTECT, related_name="releases", db_index=False)
    release = models.ForeignKey("Release", on_delete=models.PROTECT, related_name="places")
    cutover = models.ForeignKey(Cutover, on_delete=models.PROTECT, related_name="+", null=True)
    since = models.DateTimeField(db_default=Now())
    until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["environment"], condition=models.Q(until=None), name="one_release_per_environment"
            )
        ]
        indexes = [models.Index(fields=["environment", "-id"], name="release_by_environment")]


class Freeze(models.Model):
    """A time in which nothing is applied to production; without a service it holds for all."""

    service = models.ForeignKey("Service", on_delete=models.PROTECT, related_name="freezes", null=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(starts_at__lt=models.F("ends_at")), name="freeze_has_an_order")
        ]
