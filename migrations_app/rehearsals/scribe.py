"""Keeps a rehearsal's lease and writes its log, in a thread with its own connection.

When the lease is gone the process ends at once: another worker has begun anew, on a clone of its own.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Max

from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.events import Event, StopRequest
from migrations_app.models import RehearsalLine
from migrations_app.rehearsals.claims import Claim, beat
from migrations_app.runs.progress import LOST_LEASE

_EVERY_S = 0.5
# What a reader wants to find again; locks, fences and attempts on a clone that nobody else uses say nothing.
_TOLD = frozenset({"notice", "statement_done", "verifying", "repaired", "recovered", "recorded", "ended"})

log = structlog.get_logger(__name__)


def _leave_it_to_the_bell(number: int, frame: FrameType | None) -> None:
    """A signal with a handler rings."""


class Scribe:
    """`say` and `stage` may be called from any thread; `should_stop` is what the engine asks between statements."""

    def __init__(self, claim: Claim, canceller: Canceller) -> None:
        self._claim = claim
        self._canceller = canceller
        self._lock = threading.Lock()
        self._lines: list[tuple[datetime, str, str, str]] = []
        self._doing = ""
        self._asked: StopRequest | None = None
        self._closed = threading.Event()
        # The main thread may wait for a statement inside libpq, where no handler of Python's runs; what the kernel
        # tells of a signal arrives here all the same.
        self._ear, self._bell = socket.socketpair()
        self._last_ok = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="rehearsal-scribe", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def say(self, message: str, *, level: str = "info", revision_id: str = "") -> None:
        with self._lock:
            self._lines.append((datetime.now(UTC), level, revision_id, message.replace("\x00", "\ufffd")))

    def hear(self, event: Event) -> None:
        """The engine's one callback."""
        if event.kind in _TOLD:
            self.say(event.message, level=event.level, revision_id=event.revision_id)

    def doing(self, what: str) -> None:
        with self._lock:
            self._doing = what[:240]

    def should_stop(self) -> StopRequest | None:
        return self._asked

    @contextmanager
    def listening(self) -> Iterator[None]:
        """SIGTERM means that the worker is going: this rehearsal begins anew elsewhere."""
        self._bell.setblocking(False)
        handler, fd = signal.signal(signal.SIGTERM, _leave_it_to_the_bell), signal.set_wakeup_fd(self._bell.fileno())
        try:
            yield
        finally:
            signal.set_wakeup_fd(fd)
            signal.signal(signal.SIGTERM, handler)

    def close(self) -> None:
        """Stop the thread and write what is left."""
        self._closed.set()
        self._bell.send(b"\0")
        self._thread.join(timeout=30)
        self._ear.close()
        self._bell.close()
        self._flush()

    def _work(self) -> None:
        """Without this thread nobody would renew the lease, so a bug in it must not go unnoticed."""
        try:
            while not self._closed.is_set():
                self._listen()
                self._try_flush()
        except Exception:
            log.exception("the rehearsal's log cannot be written, stopping", rehearsal=self._claim.rehearsal_id)
            os._exit(LOST_LEASE)
        finally:
            connection.close()

    def _listen(self) -> None:
        rung, _, _ = select.select([self._ear], [], [], _EVERY_S)
        if rung and signal.SIGTERM in self._ear.recv(64):
            self._asked = StopRequest("shutdown", "The worker is being shut down.")

    def _try_flush(self) -> None:
        try:
            self._flush()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() - self._last_ok > settings.LOCKSTEP_LEASE_SECONDS:
                os._exit(LOST_LEASE)

    def _flush(self) -> None:
        with self._lock:
            lines, doing = list(self._lines), self._doing
        with transaction.atomic():
            asked = beat(self._claim, **({"doing": doing} if doing else {}))
            if asked is None:
                log.error("another worker took this rehearsal over, stopping", rehearsal=self._claim.rehearsal_id)
                os._exit(LOST_LEASE)
            self._write(lines)
        with self._lock:
            del self._lines[: len(lines)]
        self._last_ok = time.monotonic()
        if asked and self._asked is None:
            self._asked = StopRequest("cancel", "Cancelled at a person's request.")
        if self._asked is not None:
            self._canceller.cancel()

    def _write(self, lines: list[tuple[datetime, str, str, str]]) -> None:
        if not lines:
            return
        mine = RehearsalLine.objects.filter(rehearsal_id=self._claim.rehearsal_id)
        last = mine.aggregate(last=Max("seq"))["last"] or 0
        RehearsalLine.objects.bulk_create(
            RehearsalLine(
                rehearsal_id=self._claim.rehearsal_id,
                seq=last + number,
                at=at,
                level=level,
                revision_id=revision_id,
                message=message,
            )
            for number, (at, level, revision_id, message) in enumerate(lines, start=1)
        )
