"""Wake-ups through Redis. Losing one changes when a run starts, never whether or how often."""

from __future__ import annotations

import time

import django_rq
import structlog
from django.db.models.functions import Now
from redis.exceptions import RedisError
from rq import Queue

from migrations_app.models import OutboxItem

QUEUE = "runs"
JOB = "migrations_app.jobs.apply.execute"
_KEEP_FAILED_S = 7 * 24 * 3600

log = structlog.get_logger(__name__)


def wake(run_id: int) -> bool:
    """Put one wake-up for the run on the queue; False when Redis could not take it."""
    newest = OutboxItem.objects.filter(run_id=run_id).order_by("-pk").first()
    number = newest.pk if newest else 0
    try:
        _queue().enqueue(
            JOB,
            run_id,
            # Never twice the same: RQ cannot cope with one job in two workers, and a run may well be woken twice.
            job_id=f"run-{run_id}-{number}-{time.time_ns()}",
            job_timeout=-1,
            result_ttl=0,
            failure_ttl=_KEEP_FAILED_S,
        )
    except (RedisError, OSError) as error:
        log.warning("wake-up not delivered, the reconciler will find the run", run=run_id, error=type(error).__name__)
        return False
    OutboxItem.objects.filter(run_id=run_id, sent_at=None).update(sent_at=Now())
    return True


def waiting_in_queue() -> set[int] | None:
    """The runs that have a wake-up on the queue; None when Redis does not answer."""
    try:
        ids = _queue().get_job_ids()
    except (RedisError, OSError):
        return None
    return {int(job_id.split("-")[1]) for job_id in ids if job_id.startswith("run-")}


def _queue() -> Queue:
    return django_rq.get_queue(QUEUE)
