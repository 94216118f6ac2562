"""A worker as `manage.py worker` starts it, with an observer that does harm at named points.

Run by the harness as `python -m tests.faults.worker EXCHANGE_FOLDER`. What is patched only announces a point;
the code at the point stays Lockstep's own.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import django

from tests.faults.files import Exchange, Fired, Line, Order

if TYPE_CHECKING:
    from migrations_app.engine.contract.events import Event

HOLD_S = 4.0  # below the five seconds that a target grants an idle transaction
WORKER = os.getpid()


class Saboteur:
    """One per process; a fork inherits it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._run = 0
        self._token = 0
        self._backend = 0
        self._revision = ""
        self._spent = False

    def begin(self, run: int, token: int) -> None:
        self._run, self._token, self._spent = run, token, False
        self.point("claimed")

    def observe(self, event: Event) -> None:
        if event.backend_pid:
            self._backend = event.backend_pid
        if event.revision_id:
            self._revision = event.revision_id
        self.point(event.kind, event.revision_id)

    def point(self, name: str, revision: str = "", run: int | None = None) -> None:
        run = self._run if run is None else run
        self._exchange.append(run, Line(time.monotonic(), self._token, os.getpid(), name, revision))
        if self._spent:
            return
        for order in self._exchange.orders(run):
            if self._matches(order, name, revision) and self._exchange.take(run, order):
                self._carry_out(order)

    def _matches(self, order: Order, name: str, revision: str) -> bool:
        return order.point == name and order.revision in ("", revision or self._revision)

    def _carry_out(self, order: Order) -> None:
        self._exchange.tell_fired(
            Fired(
                fault=order.fault,
                at=time.monotonic(),
                point=order.point,
                revision=self._revision,
                token=self._token,
                pid=os.getpid(),
                parent=WORKER,
                backend=self._backend,
            )
        )
        getattr(self, "_do_" + order.action.replace(" ", "_"))(order)

    def _do_job(self, order: Order) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _do_parent(self, order: Order) -> None:
        os.kill(WORKER, signal.SIGKILL)
        # Not a pause: the kernel ends this process with its parent. If it does not, that must show.
        time.sleep(10)
        self.point("outlived its worker")

    def _do_both(self, order: Order) -> None:
        os.kill(WORKER, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    def _do_stop(self, order: Order) -> None:
        self._spent = True
        os.kill(os.getpid(), signal.SIGSTOP)

    def _do_stop_both(self, order: Order) -> None:
        self._spent = True
        os.kill(WORKER, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)

    def _do_hold(self, order: Order) -> None:
        until = time.monotonic() + HOLD_S
        while not self._exchange.may_go(order.fault) and time.monotonic() < until:
            time.sleep(0.003)


def install(saboteur: Saboteur) -> None:
    """Announce the points that the engine does not report."""
    from rq.executions import Execution as RqExecution
    from rq.job import Job

    from migrations_app.engine.contract.receipts import Receipt
    from migrations_app.jobs import apply
    from migrations_app.jobs.worker import LockstepWorker
    from migrations_app.runs import execution
    from migrations_app.runs.progress import Recorder

    apply.observers.append(saboteur.observe)
    carry_out, copy = execution.Execution.carry_out, Recorder._copy
    move = execution.move  # type: ignore[attr-defined]
    prepare = LockstepWorker.prepare_execution

    def carried_out(self: execution.Execution) -> str:
        saboteur.begin(self.run.pk, self.claim.token)
        return carry_out(self)

    def copied(self: Recorder, receipts: list[Receipt]) -> None:
        if receipts:
            saboteur.point("copying")
        copy(self, receipts)

    def moved(*positional: object, **named: object) -> bool:
        saboteur.point("ending")
        return bool(move(*positional, **named))  # type: ignore[arg-type]

    def prepared(self: LockstepWorker, job: Job) -> RqExecution:
        saboteur.point("popped", run=int(job.id.split("-")[1]))
        return prepare(self, job)

    execution.Execution.carry_out = carried_out  # type: ignore[method-assign]
    Recorder._copy = copied  # type: ignore[method-assign]
    execution.move = moved  # type: ignore[attr-defined]
    LockstepWorker.prepare_execution = prepared  # type: ignore[method-assign, assignment]


def main(arguments: Sequence[str]) -> None:
    django.setup()
    install(Saboteur(Exchange(Path(arguments[0]))))
    from migrations_app.jobs.worker import work_forever

    work_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
