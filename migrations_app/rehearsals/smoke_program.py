"""A program of the administrator's: given what it has to know alone, and ended with all that it started.

It ends too when who started it is killed: the program by the kernel, what it started by a guard a little later.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from migrations_app.embedded import session
from migrations_app.embedded.guard import Guard
from migrations_app.embedded.spawn import end, spawn
from migrations_app.engine.clone.stopping import stop_if_asked
from migrations_app.engine.errors import StatementFailed
from migrations_app.engine.target.dsn import Dsn

_KEPT = ("PATH", "HOME", "LANG", "TZ")
_TAIL = 4000  # bytes of what it said last that are kept
_TOLD = 500  # characters of them that are told
_TICK_S = 0.05
_GRACE_S = 5.0

ShouldStop = Callable[[], bool]


@dataclass(frozen=True)
class Running:
    """`cut` is set before it is ended for taking too long: a shell whose child dies first may still end with 0."""

    name: str
    process: subprocess.Popen[bytes]
    cut: threading.Event
    tail: _Tail

    @property
    def status(self) -> int | None:
        return self.process.poll()

    @property
    def late(self) -> bool:
        return self.cut.is_set()

    def rest(self, should_stop: ShouldStop) -> None:
        """A moment of waiting. Raises Stopped."""
        stop_if_asked(should_stop)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_TICK_S)

    def said(self, most: int = _TOLD) -> str:
        """The end of what it said, once it is silent."""
        return self.tail.words()[-most:]

    def failed(self, how: str) -> StatementFailed:
        words = self.said()
        return smoke_failed(f"The smoke check {self.name} {how}{f': {words}' if words else '.'}")


class _Tail:
    """Reads what a program says so that it never waits for a reader, and keeps the end of it."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._kept = b""
        self._thread = threading.Thread(target=self._read, name="smoke-tail", daemon=True)
        self._thread.start()

    def words(self) -> str:
        """Once nobody writes any more, or as it is after a second."""
        self._thread.join(1)
        return self._kept.decode(errors="replace").strip().replace("\x00", "\ufffd")

    def _read(self) -> None:
        with os.fdopen(self._pipe, "rb", buffering=0) as pipe:
            while said := pipe.read(65536):
                self._kept = (self._kept + said)[-_TAIL:]


@contextmanager
def running(
    program: Path, environment: Mapping[str, str], *, patience: float, cwd: Path | None = None
) -> Iterator[Running]:
    """In a session of its own, of which nothing is left afterwards; `cwd` None: where the program lies."""
    reading, writing = os.pipe()
    guard = Guard()
    try:
        env = {**{name: os.environ[name] for name in _KEPT if name in os.environ}, **environment}
        process = spawn([str(program)], die_with=signal.SIGKILL, env=env, cwd=cwd or program.parent, output=writing)
        os.close(writing)
        guard.watch(process.pid)
        cut = threading.Event()
        alarm = threading.Timer(patience, _cut_off, [process.pid, cut])
        alarm.daemon = True
        alarm.start()
        try:
            yield Running(program.name, process, cut, _Tail(reading))
        finally:
            alarm.cancel()
            end(process, [signal.SIGTERM], patience=_GRACE_S)
            session.kill({process.pid})
    finally:
        guard.dismiss()


def _cut_off(leader: int, cut: threading.Event) -> None:
    cut.set()
    session.kill({leader})


def clone_environment(dsn: Dsn, service: str, environment: str) -> dict[str, str]:
    return {
        "LOCKSTEP_CLONE": dsn.conninfo(),
        "DATABASE_URL": dsn.url(),
        "LOCKSTEP_SERVICE": service,
        "LOCKSTEP_ENVIRONMENT": environment,
    }


def smoke_failed(sentence: str) -> StatementFailed:
    return StatementFailed(
        "smoke_failed",
        sentence,
        not_done="The way back was not tried; the target was only read.",
        next_step="Correct the revision, or the check, then rehearse again.",
    )
