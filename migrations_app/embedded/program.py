"""A program of Lockstep's own (web, worker, scheduler, a command): its lines come out under its name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from migrations_app.embedded.spawn import end, spawn

Say = Callable[[str, str], None]
_speaking = threading.Lock()


def say(name: str, line: str) -> None:
    """Write one whole line under a name; lines of different programs never mix."""
    # A closed terminal must not stop the reader of a child's lines: the child would stall on its pipe.
    with _speaking:
        try:
            sys.stdout.write(f"{name:<10} | {line}\n")
            sys.stdout.flush()
        except OSError:
            _speak_to_nobody()


def _speak_to_nobody() -> None:
    """What the closed terminal did not take is still kept, and would make the end of this process a failure."""
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  it stays open to the end


@dataclass(frozen=True)
class Program:
    """A running program."""

    name: str
    pid: int
    patience: float
    process: subprocess.Popen[bytes] = field(repr=False, compare=False)
    reader: threading.Thread = field(repr=False, compare=False)

    def poll(self) -> int | None:
        """The exit status once it has ended, else None."""
        return self.process.poll()

    def ask_to_stop(self) -> None:
        """Ask politely and return at once."""
        if self.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Wait for it to end; repeat the request when its patience is over, then end it."""
        try:
            self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            end(self.process, [signal.SIGTERM], patience=5.0)
        self.reader.join(5.0)

    def finish(self) -> int:
        """Wait for a command to end by itself; return its exit status."""
        status = self.process.wait()
        self.reader.join(5.0)
        return status


def run(
    name: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    patience: float = 10.0,
    hear: Say = say,
) -> Program:
    """Start `argv`; secrets travel in `env`, never on the command line."""
    process = spawn(argv, die_with=signal.SIGTERM, env=env, cwd=cwd, output=subprocess.PIPE)
    assert process.stdout is not None
    reader = threading.Thread(target=_relay, args=(name, process.stdout, hear), daemon=True)
    reader.start()
    return Program(name, process.pid, patience, process, reader)


def _relay(name: str, pipe: IO[bytes], hear: Say) -> None:
    with pipe:
        for line in pipe:
            hear(name, line.decode(errors="replace").rstrip())


def ending(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
