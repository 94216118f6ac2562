"""One piece of work at a time in a forked process, which dies with the process that forked it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import structlog

from migrations_app.jobs.process import close_database_connections, die_with_parent

log = structlog.get_logger(__name__)


class Child:
    """`start` does nothing while an earlier one is at work; `reap` has to be called now and then."""

    def __init__(self) -> None:
        self._pid: int | None = None

    @property
    def busy(self) -> bool:
        return self._pid is not None

    def start(self, work: Callable[[], object]) -> None:
        if self._pid is not None:
            return
        close_database_connections()
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            _be(work, parent)
        self._pid = child

    def reap(self) -> None:
        if self._pid is not None and os.waitpid(self._pid, os.WNOHANG)[0]:
            self._pid = None

    def end(self) -> None:
        """Ask it to stop and wait until it has."""
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)
            os.waitpid(self._pid, 0)
            self._pid = None


def _be(work: Callable[[], object], parent: int) -> None:
    status = 1
    try:
        die_with_parent(parent)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work()
        status = 0
    except Exception:
        log.exception("a child process failed")
    finally:
        os._exit(status)
