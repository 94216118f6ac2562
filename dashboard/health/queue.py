"""Whether Redis answers, who works on its queues and how much waits there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.serializers import JSONSerializer

PATIENCE_S = 0.3


class NoRedis(Exception):
    """It did not answer, or not in time."""


@dataclass(frozen=True)
class AtWork:
    name: str
    state: str
    current_job: str | None
    queues: tuple[str, ...]
    birth_date: datetime | None
    successful_job_count: int
    failed_job_count: int


@dataclass(frozen=True)
class Waiting:
    name: str
    depth: int
    started: int
    failed: int


@dataclass(frozen=True)
class QueueLook:
    """`workers` and `queues` are empty where `rq_available` is false."""

    latency_ms: float
    rq_available: bool
    workers: tuple[AtWork, ...] = ()
    queues: tuple[Waiting, ...] = ()

    @property
    def busy(self) -> int:
        return sum(worker.state == "busy" for worker in self.workers)


def look() -> QueueLook:
    """Raises NoRedis."""
    with _client() as client:
        begun = time.monotonic()
        try:
            client.ping()
        except (RedisError, OSError) as failure:
            raise NoRedis(" ".join(str(failure).split())) from failure
        latency_ms = round((time.monotonic() - begun) * 1000, 2)
        try:
            return QueueLook(latency_ms, True, _workers(client), _queues(client))
        except (RedisError, OSError, ValueError):
            return QueueLook(latency_ms, False)


def _client() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PATIENCE_S,
        socket_connect_timeout=PATIENCE_S,
        retry=Retry(NoBackoff(), 0),
    )


def _workers(client: Redis) -> tuple[AtWork, ...]:
    return tuple(
        AtWork(
            name=worker.name,
            state=str(getattr(worker.get_state(), "value", worker.get_state())),
            current_job=worker.get_current_job_id(),
            queues=tuple(worker.queue_names()),
            birth_date=_aware(worker.birth_date),
            successful_job_count=worker.successful_job_count or 0,
            failed_job_count=worker.failed_job_count or 0,
        )
        for worker in Worker.all(connection=client, serializer=JSONSerializer)
    )


def _queues(client: Redis) -> tuple[Waiting, ...]:
    queues = [Queue(name, connection=client, serializer=JSONSerializer) for name in settings.RQ_QUEUES]
    return tuple(
        Waiting(one.name, one.count, one.started_job_registry.count, one.failed_job_registry.count) for one in queues
    )


def _aware(moment: datetime | None) -> datetime | None:
    """RQ writes UTC and leaves the zone out."""
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
