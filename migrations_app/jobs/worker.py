"""The worker process: RQ on one queue, with a reconciler beside it, and job processes that die with it."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from resource import struct_rusage
from types import FrameType

import django_rq
import structlog
from django.db import DatabaseError, InterfaceError
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from migrations_app.jobs import apply
from migrations_app.jobs.launcher import QUEUE
from migrations_app.jobs.process import (
    close_database_connections,
    die_with_parent,
    end_idle_transactions,
    keep_what_is_loaded,
)
from migrations_app.jobs.reconciler import Reconciler
from migrations_app.runs.claims import release_of_dead

log = structlog.get_logger(__name__)

_WORKER_TTL_S = 60
_MAINTENANCE_S = 60
_REDIS_RETRY_S = 2.0


class LockstepWorker(Worker):
    """RQ's worker, with the gaps closed that matter here: orphaned job processes, shared connections, long waits."""

    max_connection_wait_time = _REDIS_RETRY_S
    connection_wait_time = 1.0
    asked_to_stop = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """RQ also ends its loop over a lost Redis and over surprises; those are no reason to stop working."""
        self.asked_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        close_database_connections()
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent(self.pid or 0)
        super().main_work_horse(job, queue)

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: struct_rusage) -> None:
        """The job process is certainly dead: its lease need not be waited for."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call]
        try:
            release_of_dead(apply.worker_name(retpid))
        except (DatabaseError, InterfaceError) as error:
            log.warning("lease left to run out", error=type(error).__name__)
        finally:
            close_database_connections()

    def handle_warm_shutdown_request(self) -> None:
        """Tell the job to stop between statements, so that a deployment does not wait for a long plan."""
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGTERM)
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]


@dataclass
class Stop:
    """Whether the end was asked for. Not an Event: its lock is not for signal handlers."""

    asked: bool = False


def work_forever() -> None:
    """Run until asked to stop. Without Redis the reconciler alone keeps runs going."""
    name = apply.worker_name()
    keep_what_is_loaded()
    end_idle_transactions()
    reconciler = _start_reconciler(name)
    stop = Stop()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.asked = True

    watcher = threading.Thread(target=_end_with, args=(reconciler, stop), name="reconciler-watch", daemon=True)
    signal.signal(signal.SIGTERM, on_signal)
    watcher.start()
    try:
        while not stop.asked:
            signal.signal(signal.SIGTERM, on_signal)
            signal.signal(signal.SIGINT, on_signal)
            if _work_until_rq_ends(name):
                return
            time.sleep(_REDIS_RETRY_S)
    finally:
        stop.asked = True
        with suppress(ProcessLookupError):
            os.kill(reconciler, signal.SIGTERM)
        watcher.join()


def _end_with(reconciler: int, stop: Stop) -> None:
    """A worker whose reconciler died would miss every lost wake-up; it ends, and whoever started it starts it again."""
    os.waitpid(reconciler, 0)
    if not stop.asked:
        log.error("the reconciler ended; its worker ends too")
        os.kill(os.getpid(), signal.SIGTERM)


def _work_until_rq_ends(name: str) -> bool:
    """True when RQ was asked to stop, False when it ended for another reason."""
    worker: LockstepWorker | None = None
    try:
        worker = LockstepWorker(
            [django_rq.get_queue(QUEUE)],
            name=f"{name}-{time.time_ns()}",
            serializer=JSONSerializer,
            worker_ttl=_WORKER_TTL_S,
            maintenance_interval=_MAINTENANCE_S,
        )
        worker.work(logging_level="WARNING", with_scheduler=False)
    except (RedisError, OSError) as error:
        log.warning("Redis is not reachable; runs still start, a few seconds late", error=type(error).__name__)
    return worker is not None and worker.asked_to_stop


def _start_reconciler(name: str) -> int:
    parent = os.getpid()
    close_database_connections()
    child = os.fork()
    if child == 0:
        try:
            die_with_parent(parent)
            Reconciler(name, apply.execute).run_forever()
        finally:
            os._exit(0)
    return child
