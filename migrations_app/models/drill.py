"""A rollback practised by people against the clock: five steps, what was checked, what a hand did, what is left."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

RECOVERY_LIMIT_S = 900


class DrillStatus(models.TextChoices):
    READY = "ready", "ready"
    RUNNING = "running", "running"
    FINISHED = "finished", "finished"
    ABANDONED = "abandoned", "abandoned"


class DrillResult(models.TextChoices):
    NONE = "", "no result"
    PASSED = "passed", "passed"
    WITH_INTERVENTIONS = "with_interventions", "passed with interventions"
    FAILED = "failed", "failed"


class Side(models.TextChoices):
    BEFORE = "before", "before"
    AFTER = "after", "after"


class CheckKind(models.TextChoices):
    HEALTH = "health", "health"
    SMOKE = "smoke", "smoke"
    CSV_HEADER = "csv_header", "CSV header"


OPEN_DRILL = (DrillStatus.READY, DrillStatus.RUNNING)


class Drill(models.Model):
    """`status` is changed by rehearsals.drills.states alone; every time is the control database's clock."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Without an index of its own: a longer one begins with it.
    environment = models.ForeignKey("Environment", on_delete=models.PROTECT, related_name="drills", db_index=False)
    scenario = models.CharField(max_length=20)  # a key of rehearsals.drills.scenarios
    trigger_reason = models.CharField(max_length=500)
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=DrillStatus.choices, default=DrillStatus.READY)
    result = models.CharField(max_length=20, choices=DrillResult.choices, default=DrillResult.NONE, blank=True)
    end_reason = models.CharField(max_length=500, blank=True)  # why it was abandoned

    step = models.IntegerField(default=0)  # the one in hand or, while it rests, the last that ended
    resting = models.BooleanField(default=True)  # no step is being timed
    lap = models.IntegerField(default=0)  # how often the stopwatch was pressed; a press names the count it saw
    version = models.BigIntegerField(default=1)  # grows with every visible change

    limit_s = models.PositiveIntegerField(default=RECOVERY_LIMIT_S)
    recovery_ms = models.BigIntegerField(null=True)  # from the end of step 1 to the end of step 3
    from_release = models.CharField(max_length=200, blank=True)
    to_release = models.CharField(max_length=200, blank=True)
    head_revision = models.CharField(max_length=200, blank=True)  # of the environment when the drill was made
    schema_rev = models.CharField(max_length=200, blank=True)
    runbook_rev = models.CharField(max_length=200, blank=True)
    runbook_updated = models.BooleanField(default=False)
    runbook_link = models.CharField(max_length=500, blank=True)
    issues_found = models.TextField(blank=True)

    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["environment"],
                condition=models.Q(status__in=["ready", "running"]),
                name="one_open_drill_per_environment",
            ),
        ]
        indexes = [
            models.Index(fields=["environment", "-id"], name="drill_by_environment"),
            models.Index(fields=["scenario", "-id"], name="drill_by_scenario"),
            # What a last success and its age are looked up by.
            models.Index(
                fields=["environment", "-finished_at"],
                condition=models.Q(status="finished"),
                name="drill_by_end",
            ),
        ]

    def __str__(self) -> str:
        return f"drill {self.uid}"


class DrillStep(models.Model):
    drill = models.ForeignKey(Drill, on_delete=models.CASCADE, related_name="steps", db_index=False)
    number = models.IntegerField()  # 1 to 5
    name = models.CharField(max_length=100)
    planned_s = models.PositiveIntegerField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # A press that could not be saved at once: how long the browser held it back, and when it arrived.
    held_ms = models.BigIntegerField(default=0)
    saved_at = models.DateTimeField(null=True)
    commands = models.TextField(blank=True)
    output = models.TextField(blank=True)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["drill", "number"], name="drill_step_once")]

    @property
    def actual_ms(self) -> int | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return round((self.ended_at - self.started_at).total_seconds() * 1000)


class DrillCheck(models.Model):
    drill = models.ForeignKey(Drill, on_delete=models.CASCADE, related_name="checks")
    side = models.CharField(max_length=6, choices=Side.choices)
    kind = models.CharField(max_length=10, choices=CheckKind.choices)
    name = models.CharField(max_length=200)
    expected = models.CharField(max_length=1000, blank=True)
    got = models.CharField(max_length=1000, blank=True)
    passed = models.BooleanField()
    measured = models.BooleanField(default=False)  # Lockstep asked the health address itself
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]


class DrillIntervention(models.Model):
    drill = models.ForeignKey(Drill, on_delete=models.CASCADE, related_name="interventions")
    step = models.IntegerField()
    seconds = models.PositiveIntegerField()
    what = models.CharField(max_length=500)
    note = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]


class DrillFollowUp(models.Model):
    drill = models.ForeignKey(Drill, on_delete=models.CASCADE, related_name="follow_ups")
    what = models.CharField(max_length=500)
    owner = models.CharField(max_length=150)
    due = models.DateField(null=True)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)

    class Meta:
        ordering = ["id"]
