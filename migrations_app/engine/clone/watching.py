"""A second session that sees which locks a statement holds which commits by itself.

Such a statement (CREATE INDEX CONCURRENTLY and its kin) has let go of its locks when it ends, so it is looked at while
it runs: every millisecond at first, for the short ones, then every five.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from migrations_app.engine.clone.snapshot import HELD, strongest

_PHASE = "SELECT phase FROM pg_catalog.pg_stat_progress_create_index WHERE pid = %s"
_CLOSELY_S, _CLOSE_S, _THEN_S = 0.2, 0.001, 0.005


@dataclass
class Seen:
    """What the looks together saw; whole once `watched` is left."""

    rows: set[tuple[int, str]] = field(default_factory=set)
    phases: list[str] = field(default_factory=list)
    looks: int = 0

    @property
    def locks(self) -> dict[int, str]:
        return strongest(self.rows)


class Watch:
    """Looks at one backend from `conn`, which is used by nobody else meanwhile."""

    def __init__(self, conn: psycopg.Connection, pid: int) -> None:
        self._conn = conn
        self._pid = pid

    @contextmanager
    def watched(self) -> Iterator[Seen]:
        """Looks while the block runs. A session that breaks ends the looking, and is the reason no more was seen."""
        seen, begun, over = Seen(), threading.Event(), threading.Event()
        thread = threading.Thread(target=self._looking, args=(seen, begun, over), name="clone-watch", daemon=True)
        thread.start()
        begun.wait()
        try:
            yield seen
        finally:
            over.set()
            thread.join()

    def _looking(self, seen: Seen, begun: threading.Event, over: threading.Event) -> None:
        started = time.monotonic()
        try:
            while not over.wait(_CLOSE_S if time.monotonic() - started < _CLOSELY_S else _THEN_S):
                self._look(seen)
                begun.set()
        except psycopg.Error:
            return
        finally:
            begun.set()

    def _look(self, seen: Seen) -> None:
        seen.rows.update((oid, mode) for oid, mode in self._conn.execute(HELD, [self._pid]))
        seen.looks += 1
        row = self._conn.execute(_PHASE, [self._pid]).fetchone()
        if row is not None and row[0] not in seen.phases:
            seen.phases.append(row[0])
