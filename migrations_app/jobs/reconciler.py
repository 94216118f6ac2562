"""Finds runs that are due and makes them start: through Redis when it answers, by itself when it does not.

One such process lives beside each worker; all of them may look at the same run, because a claim is exclusive.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import FrameType

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from migrations_app.jobs import launcher
from migrations_app.jobs.process import close_database_connections, die_with_parent, is_gone, machine
from migrations_app.models import WorkerProcess
from migrations_app.runs.claims import due, holders, release_of_dead

log = structlog.get_logger(__name__)


class Reconciler:
    """`run_forever` until SIGTERM; `execute` is the job body, run in a child process of its own."""

    def __init__(self, name: str, execute: Callable[[int], str]) -> None:
        self._name = name
        self._execute = execute
        self._child: int | None = None
        self._child_run: int | None = None
        self._stopping = False

    def run_forever(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while not self._stopping:
            self._try_once()
            time.sleep(settings.LOCKSTEP_RECONCILE_SECONDS)
        self._end_child()

    def once(self) -> None:
        """One look: beat, then start whatever is due."""
        self._reap()
        _release_what_dead_processes_hold()
        queued = launcher.waiting_in_queue()
        self._beat(redis_ok=queued is not None)
        for run_id in due():
            if queued is None:
                self._execute_here(run_id)
            elif run_id not in queued:
                launcher.wake(run_id)

    def _try_once(self) -> None:
        try:
            self.once()
        except (DatabaseError, InterfaceError) as error:
            log.warning("control database not reachable, looking again", error=type(error).__name__)
            connection.close()

    def _beat(self, *, redis_ok: bool) -> None:
        WorkerProcess.objects.update_or_create(
            name=self._name,
            defaults={"beat_at": Now(), "redis_ok": redis_ok},
            create_defaults={"beat_at": Now(), "started_at": Now(), "redis_ok": redis_ok},
        )

    def _execute_here(self, run_id: int) -> None:
        """Without Redis: one run at a time, in a child that dies with this process."""
        if self._child is not None:
            return
        close_database_connections()
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            self._be_child(run_id, parent)
        self._child, self._child_run = child, run_id

    def _be_child(self, run_id: int, parent: int) -> None:
        status = 1
        try:
            die_with_parent(parent)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self._execute(run_id)
            status = 0
        finally:
            os._exit(status)

    def _reap(self) -> None:
        if self._child is not None and os.waitpid(self._child, os.WNOHANG)[0]:
            self._child = self._child_run = None

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _end_child(self) -> None:
        if self._child is not None:
            os.kill(self._child, signal.SIGTERM)
            os.waitpid(self._child, 0)


def _release_what_dead_processes_hold() -> None:
    """A process of this machine that is gone will not renew its lease; the run need not wait for it to run out."""
    for worker in holders(machine()):
        if is_gone(int(worker.rpartition(":")[2])):
            release_of_dead(worker)
