"""A second session that looks who is in the way while the first one waits for a lock."""

from __future__ import annotations

import threading
import time

import psycopg

from migrations_app.engine.contract.events import Event, Report
from migrations_app.engine.errors import LockstepError
from migrations_app.engine.target.blockers import Blocker, who_blocks
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn

_TICK_S = 0.02


class LockWatch:
    """Armed before a statement, disarmed after it; reports blockers when the statement takes longer than that.

    One thread per run; the session is opened only when something has to be looked at.
    """

    def __init__(self, dsn: Dsn, backend_pid: int, report: Report) -> None:
        self._dsn = dsn
        self._pid = backend_pid
        self._report = report
        self._due: float | None = None
        self._every: float | None = None
        self._about: tuple[str, int | None] = ("", None)
        self._windowed = True
        self._closing = threading.Event()
        self._conn: psycopg.Connection | None = None
        self._thread: threading.Thread | None = None
        self.blockers: tuple[Blocker, ...] = ()
        self._said = False

    def arm(
        self,
        *,
        after_s: float,
        every_s: float | None = None,
        revision_id: str = "",
        step: int | None = None,
        windowed: bool = True,
    ) -> None:
        """Look after `after_s` seconds, then every `every_s` seconds until disarmed.

        `windowed` is told with what is found: whether the lock window ends the wait.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="lock-watch", daemon=True)
            self._thread.start()
        self.blockers = ()
        self._said = False
        self._every = every_s
        self._about = (revision_id, step)
        self._windowed = windowed
        self._due = time.monotonic() + after_s

    def disarm(self) -> None:
        self._due = None

    def close(self) -> None:
        """Stop the thread and its session."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        if self._conn is not None:
            self._conn.close()

    def _run(self) -> None:
        """Polls rather than being woken: most statements are over long before anybody would look."""
        while not self._closing.wait(_TICK_S):
            due, now = self._due, time.monotonic()
            if due is not None and due <= now:
                self._due = now + self._every if self._every else None
                self._look()

    def _look(self) -> None:
        """A look that fails loses a sentence on a page, not the run; the next look opens a new session."""
        try:
            if self._conn is None or self._conn.closed:
                self._conn = open_session(self._dsn, application_name="lockstep-watch")
            found = who_blocks(self._conn, self._pid)
        except (psycopg.Error, LockstepError) as error:
            self._conn = None
            self._report(Event("blocked", f"could not look who is in the way: {type(error).__name__}", level="warning"))
            return
        revision_id, step = self._about
        if not found:
            if self._said:
                self._said = False
                self._report(Event("unblocked", "nobody is in the way any more", revision_id=revision_id, step=step))
            return
        self._said = True
        self.blockers = found
        self._report(
            Event(
                "blocked",
                "waiting: " + "; ".join(blocker.sentence for blocker in found[:5]),
                revision_id=revision_id,
                step=step,
                level="warning",
                blockers=found,
                windowed=self._windowed,
            )
        )
