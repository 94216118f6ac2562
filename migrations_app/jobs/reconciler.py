"""Finds runs that are due and makes them start: through Redis when it answers, by itself when it does not.

One such process lives beside each worker; all of them may look at the same run, because a claim is exclusive.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from migrations_app.jobs import launcher, look, rehearse
from migrations_app.jobs.child import Child
from migrations_app.jobs.process import is_gone, machine
from migrations_app.models import WorkerProcess
from migrations_app.rehearsals import claims as rehearsals
from migrations_app.rehearsals import clones
from migrations_app.releases.gates import looking
from migrations_app.rollouts.carrying import carry_on_all
from migrations_app.runs import claims

SWEEP_EVERY_S = 20.0

log = structlog.get_logger(__name__)


class Reconciler:
    """`run_forever` until SIGTERM; `execute` is the job body, run in a child process of its own."""

    def __init__(self, name: str, execute: Callable[[int], str]) -> None:
        self._name = name
        self._execute = execute
        self._run = Child()
        self._rehearsal = Child()
        self._look = Child()
        self._sweeper = Child()
        self._swept_at = -SWEEP_EVERY_S
        self._stopping = False

    def run_forever(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while not self._stopping:
            self._try_once()
            time.sleep(settings.LOCKSTEP_RECONCILE_SECONDS)
        self._end_children()

    def once(self) -> None:
        """One look: beat, then start whatever is due."""
        self._reap()
        _release_what_dead_processes_hold()
        queued = launcher.waiting_in_queue()
        self._beat(redis_ok=queued is not None)
        for run_id in claims.due():
            if queued is None:
                self._run.start(partial(self._execute, run_id))
            elif run_id not in queued:
                launcher.wake(run_id)
        carry_on_all()
        self._rehearse()
        self._look_at_checks()
        self._sweep_clones()

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

    def _rehearse(self) -> None:
        """A rehearsal needs no wake-up: each worker's reconciler carries out one at a time."""
        if not self._rehearsal.busy:
            for rehearsal_id in rehearsals.due(limit=1):
                self._rehearsal.start(partial(rehearse.execute, rehearsal_id))

    def _look_at_checks(self) -> None:
        """All that are due, one after the other, in a process that a slow address or program keeps waiting alone."""
        if not self._look.busy and looking.due(limit=1):
            self._look.start(look.execute_due)

    def _sweep_clones(self) -> None:
        """In a process of its own, for a rehearsal server that does not answer must not keep runs waiting."""
        if time.monotonic() - self._swept_at >= SWEEP_EVERY_S and not self._sweeper.busy:
            self._swept_at = time.monotonic()
            self._sweeper.start(clones.sweep)

    def _reap(self) -> None:
        for child in (self._run, self._rehearsal, self._look, self._sweeper):
            child.reap()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _end_children(self) -> None:
        for child in (self._run, self._rehearsal, self._look, self._sweeper):
            child.end()


def _release_what_dead_processes_hold() -> None:
    """A process of this machine that is gone will not renew its lease; nobody need wait for that to run out."""
    for held in (claims, rehearsals, looking):
        for worker in held.holders(machine()):
            if is_gone(int(worker.rpartition(":")[2])):
                held.release_of_dead(worker)
