"""What the engine reports, written to the control plane in batches by a thread with its own connection.

The same thread renews the lease. When the lease is gone, because another worker took over or the control
database was away for too long, the process ends at once: it must not touch the target any more. A second thread keeps
the time, for a database that is silent rather than away lets the first one wait.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now

from migrations_app.engine.contract.events import Event, StopRequest
from migrations_app.engine.contract.receipts import Receipt
from migrations_app.fleet.ledger import copy_receipts
from migrations_app.models import Run
from migrations_app.models.run import Asked
from migrations_app.runs.claims import Claim, lease
from migrations_app.runs.stages import Stages
from migrations_app.runs.step_progress import StepProgress
from migrations_app.statuses import ACTIVE, RunStatus

FLUSH_EVERY_S = 0.4
# The log tells what a reader wants to find again; the rest only moves the stages and steps of the page.
TOLD = frozenset(
    {
        "connected",
        "lock_wait",
        "locked",
        "already_applied",
        "notice",
        "statement_done",
        "verifying",
        "lock_attempt",
        "blocked",
        "unblocked",
        "intent",
        "repaired",
        "recovered",
        "recorded",
        "released",
        "connection_lost",
        "orphan_ended",
        "ended",
    }
)
_WRITE_LOG = """
INSERT INTO migrations_app_runlogline (run_id, seq, at, level, revision_id, step, message)
SELECT %s, v.* FROM json_to_recordset(%s) AS v (seq bigint, at timestamptz, level text, revision_id text, step int,
                                                message text)
"""
LOST_LEASE = 75  # the exit status of a worker that found its lease gone

log = structlog.get_logger(__name__)


class Recorder:
    """Takes events from any thread; `stop_request` tells the engine what a person or a shutdown wants."""

    def __init__(self, run: Run, claim: Claim, *, cancel_statement: Callable[[], None]) -> None:
        self._run = run
        self._claim = claim
        self._cancel_statement = cancel_statement
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._events: list[tuple[datetime, Event]] = []
        self._asked: StopRequest | None = None
        self._shutdown = threading.Event()
        self._closed = threading.Event()
        self._log_seq = run.log_seq
        self._stages = Stages(run)
        self._steps = StepProgress(run, claim)
        self._last_ok = time.monotonic()
        self._last_beat = 0.0
        self._written = threading.Event()
        self._thread = threading.Thread(target=self._work, name="run-progress", daemon=True)
        self._watch = threading.Thread(target=self._watch_lease, name="run-lease", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._watch.start()

    def report(self, event: Event) -> None:
        """The engine's one callback."""
        with self._lock:
            self._events.append((datetime.now(UTC), event))

    def stop_request(self) -> StopRequest | None:
        return self._asked or (
            StopRequest("shutdown", "The worker is being shut down.") if self._shutdown.is_set() else None
        )

    def shut_down(self) -> None:
        """Ask the engine to stop between statements; safe in a signal handler."""
        self._shutdown.set()

    def close(self) -> None:
        """Stop the thread and write what is left. Raises what the database says if that fails."""
        self._closed.set()
        self._thread.join(timeout=30)
        try:
            self._flush()
        finally:
            self._written.set()

    def _work(self) -> None:
        """Without this thread nobody would renew the lease, so a bug in it must not go unnoticed."""
        try:
            while not self._closed.wait(FLUSH_EVERY_S):
                self._try_flush()
        except Exception:
            log.exception("progress cannot be written, stopping", run=self._run.pk)
            os._exit(LOST_LEASE)
        finally:
            connection.close()

    def _try_flush(self) -> None:
        """A control database that is away is asked again, for as long as the lease lasts."""
        try:
            self._flush()
        except (OperationalError, InterfaceError):
            connection.close()

    def _watch_lease(self) -> None:
        while not self._written.wait(FLUSH_EVERY_S):
            if time.monotonic() - self._last_ok > settings.LOCKSTEP_LEASE_SECONDS:
                log.error("lease could not be renewed in time, stopping", run=self._run.pk)
                os._exit(LOST_LEASE)

    def _flush(self) -> None:
        with self._flushing:
            with self._lock:
                events, self._events = self._events, []
            beat_due = time.monotonic() - self._last_beat >= settings.LOCKSTEP_BEAT_SECONDS
            try:
                if events or beat_due:
                    self._write(events)
                    self._last_beat = time.monotonic()
                self._look_what_is_asked()
            except BaseException:
                with self._lock:
                    self._events = events + self._events
                raise
            self._last_ok = time.monotonic()

    def _write(self, events: list[tuple[datetime, Event]]) -> None:
        stages, steps = self._stages.after(events), self._steps.after(events)
        seq = self._log_seq + sum(1 for _, event in events if event.kind in TOLD)
        with transaction.atomic():
            mine = Run.objects.filter(pk=self._run.pk, token=self._claim.token, status__in=ACTIVE)
            fields = stages.run_fields()
            told = [(at, event) for at, event in events if event.kind in TOLD]
            status = fields.pop("status", None)
            if status is not None:
                fields["status"] = Case(When(asked=Asked.PAUSE, then=Value(RunStatus.PAUSING)), default=Value(status))
            if events:
                fields.update(version=F("version") + 1, log_seq=seq, steps_done=steps.done_count)
            if mine.update(lease_until=Now() + lease(), beat_at=Now(), **fields) != 1:
                self._lost()
            self._write_log(told)
            steps.write()
            receipts = [event.receipt for _, event in events if event.kind == "recorded" and event.receipt]
            self._copy(receipts)
        self._log_seq, self._stages, self._steps = seq, stages, steps

    def _copy(self, receipts: list[Receipt]) -> None:
        if receipts:
            copy_receipts(self._run.environment, receipts)

    def _write_log(self, events: list[tuple[datetime, Event]]) -> None:
        """As one JSON text: the engine waits for this thread's share of the interpreter."""
        if not events:
            return
        lines = [
            {
                "seq": self._log_seq + number,
                "at": at,
                "level": event.level,
                "revision_id": event.revision_id,
                "step": event.step,
                "message": event.message.replace("\x00", "\ufffd"),
            }
            for number, (at, event) in enumerate(events, start=1)
        ]
        with connection.cursor() as cursor:
            cursor.execute(_WRITE_LOG, [self._run.pk, json.dumps(lines, default=str)])

    def _look_what_is_asked(self) -> None:
        row = Run.objects.filter(pk=self._run.pk).values_list("token", "asked", "asked_reason").first()
        if row is None or row[0] != self._claim.token:
            self._lost()
            return
        _, asked, reason = row
        why = f" ({reason})" if reason else ""
        if asked == Asked.CANCEL:
            self._asked = StopRequest("cancel", f"Cancelled at a person's request{why}.")
            self._cancel_statement()
        elif asked == Asked.PAUSE:
            self._asked = StopRequest("pause", f"Paused at a person's request{why}.")

    def _lost(self) -> None:
        log.error("another worker took this run over, stopping", run=self._run.pk, token=self._claim.token)
        os._exit(LOST_LEASE)
