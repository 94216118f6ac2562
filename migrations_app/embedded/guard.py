"""The last one to leave: when the supervisor is gone, however it went, nothing it started stays.

The supervisor holds the other end of standard input and writes the sessions it opens. The pipe closes with
the supervisor; the children, told by the kernel, then have some time to end by themselves.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from migrations_app.embedded import session

GRACE_SECONDS = float(os.environ.get("LOCKSTEP_GUARD_SECONDS", "15"))


class Guard:
    """The supervisor's side: starts the guarding process and tells it each new session."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd=Path(__file__).parents[2],
        )

    def watch(self, leader: int) -> None:
        """Have the session of this child swept as well."""
        self._tell(leader)

    def forget(self, leader: int) -> None:
        """Leave the session alone from now on."""
        self._tell(-leader)

    def dismiss(self) -> None:
        """Close the pipe and wait: what should have stopped has stopped, so this takes no time."""
        self._pipe.close()
        self._process.wait()

    def _tell(self, number: int) -> None:
        self._pipe.write(f"{number}\n".encode())
        self._pipe.flush()

    @property
    def _pipe(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin


def _listen(pipe: IO[bytes]) -> set[int]:
    """The sessions to sweep once the pipe has closed; a negative number takes one back."""
    sessions: set[int] = set()
    for line in pipe:
        number = int(line)
        if number > 0:
            sessions.add(number)
        else:
            sessions.discard(-number)
    return sessions


def main() -> None:
    """Wait for the pipe to close, then for the sessions to empty, then end what is left."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    sessions = _listen(sys.stdin.buffer)
    if not session.wait_until_empty(sessions, patience=GRACE_SECONDS):
        session.kill(sessions)


if __name__ == "__main__":
    main()
