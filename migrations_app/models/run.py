"""One execution of a plan on one environment, its steps, their attempts and its log."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from migrations_app.statuses import OPEN, RunStatus, StepStatus


class Direction(models.TextChoices):
    UP = "up", "apply"
    DOWN = "down", "roll back"


class Asked(models.TextChoices):
    """What a person wants of a run in progress; the worker looks between statements."""

    NOTHING = "", "nothing"
    PAUSE = "pause", "pause"
    CANCEL = "cancel", "cancel"


class Run(models.Model):
    """`status` is changed by runs.transitions alone."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Without indexes of their own, as elsewhere: longer ones begin with them.
    service = models.ForeignKey("Service", on_delete=models.PROTECT, related_name="runs", db_index=False)
    environment = models.ForeignKey("Environment", on_delete=models.PROTECT, related_name="runs", db_index=False)
    direction = models.CharField(max_length=4, choices=Direction.choices)
    from_revision = models.CharField(max_length=200, blank=True)  # the head when it was requested
    to_revision = models.CharField(max_length=200, blank=True)  # the head it leads to
    revisions = models.JSONField(default=list)  # [{"revision_id", "checksum"}] in the order of execution
    steps_total = models.IntegerField(default=0)
    steps_done = models.IntegerField(default=0)

    status = models.CharField(max_length=20, choices=RunStatus.choices, default=RunStatus.QUEUED)
    asked = models.CharField(max_length=8, choices=Asked.choices, default=Asked.NOTHING, blank=True)
    asked_reason = models.CharField(max_length=500, blank=True)
    version = models.BigIntegerField(default=1)  # grows with every visible change; the ETag
    # code, message, not_done, next_step of the failure or finding; null while there is none
    error = models.JSONField(null=True)
    # who is in the way right now, since when, and whether the lock window ends it; null while nothing is waited for
    waiting = models.JSONField(null=True)
    # a person's verdict on an unknown statement: {"revision_id", "step", "verdict", "by", "reason"}
    decision = models.JSONField(null=True)
    # {"lock"|"run"|"verify"|"record"|"release": {"state", "wait_ms", "work_ms", "detail"}}
    phases = models.JSONField(default=dict)

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=500, blank=True)
    idempotency_key = models.CharField(max_length=200, null=True)  # noqa: DJ001  null never collides
    request_sha256 = models.CharField(max_length=64, blank=True)

    token = models.BigIntegerField(default=0)  # grows with every claim; an older holder is fenced
    attempt = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=120, blank=True)
    fence = models.BigIntegerField(null=True)
    backend_pid = models.IntegerField(null=True)
    backend_start = models.DateTimeField(null=True)
    log_seq = models.BigIntegerField(default=0)

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["environment"],
                condition=models.Q(status__in=sorted(OPEN)),
                name="one_open_run_per_environment",
            ),
            models.UniqueConstraint(fields=["requested_by", "idempotency_key"], name="idempotency_key_once"),
        ]
        indexes = [
            models.Index(fields=["lease_until"], condition=models.Q(status__in=sorted(OPEN)), name="run_open_lease"),
            models.Index(fields=["environment", "-id"], name="run_by_environment"),
            models.Index(fields=["service", "-id"], name="run_by_service"),
            models.Index(fields=["requested_by", "-id"], name="run_by_person"),
            models.Index(fields=["created_at"], name="run_by_time"),
            # The open ones are few and the succeeded ones nearly all; only these are looked for in a long table.
            models.Index(
                fields=["status", "-id"],
                condition=models.Q(status__in=["cancelled", "failed", "rolled_back"]),
                name="run_ended_otherwise",
            ),
            models.Index(fields=["-finished_at"], condition=models.Q(finished_at__isnull=False), name="run_by_end"),
            models.Index(fields=["-id"], condition=models.Q(direction="down"), name="run_backward"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"


class RunStep(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps", db_index=False)
    ordinal = models.IntegerField()  # 1-based over the whole run
    revision_id = models.CharField(max_length=200)
    n = models.IntegerField()  # 1-based within the revision
    of = models.IntegerField()  # steps in the revision
    mode = models.CharField(max_length=8)  # tx | nontx
    statements = models.IntegerField()
    summary = models.CharField(max_length=300)
    lock = models.CharField(max_length=30, blank=True)  # strongest lock on what existed before
    sql_sha256 = models.CharField(max_length=64)
    forecast_ms = models.FloatField(null=True)  # of its work, from the newest fresh rehearsal; null: there was none
    status = models.CharField(max_length=8, choices=StepStatus.choices, default=StepStatus.PENDING)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    wait_ms = models.BigIntegerField(default=0)
    work_ms = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["ordinal"]
        constraints = [models.UniqueConstraint(fields=["run", "ordinal"], name="run_step_once")]
        indexes = [
            models.Index(
                fields=["revision_id", "run"], opclasses=["varchar_pattern_ops", "int8_ops"], name="step_by_revision"
            ),
            models.Index(fields=["-id"], condition=models.Q(forecast_ms__isnull=False), name="run_step_forecast"),
            models.Index(
                fields=["run"],
                condition=models.Q(status__in=[StepStatus.FAILED, StepStatus.UNKNOWN]),
                name="run_step_stopped",
            ),
        ]


class StepAttempt(models.Model):
    """One try at a step: a lock attempt that gave up, a failure, or the one that succeeded."""

    step = models.ForeignKey(RunStep, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.IntegerField()
    token = models.BigIntegerField()
    worker = models.CharField(max_length=120)
    outcome = models.CharField(max_length=20)  # running, done, lock_timeout, failed, recovered, lost
    detail = models.CharField(max_length=1000, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["step_id", "number"]
        constraints = [models.UniqueConstraint(fields=["step", "number"], name="step_attempt_once")]


class RunLogLine(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="log", db_index=False)
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    level = models.CharField(max_length=7)  # info, warning, error
    revision_id = models.CharField(max_length=200, blank=True)
    step = models.IntegerField(null=True)
    message = models.TextField()

    class Meta:
        ordering = ["run_id", "seq"]
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="run_log_seq_once")]
