"""Workers and the scheduler, started again half a second after they die, as `manage.py up` does at first."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from migrations_app.embedded import session
from migrations_app.embedded.spawn import end, spawn

PAUSE_S = 0.5
ROOT = Path(__file__).resolve().parents[2]


class Post:
    """One place in the crew; whoever fills it writes into the same log."""

    def __init__(self, name: str, argv: list[str], log: IO[bytes], env: Mapping[str, str]) -> None:
        self.name = name
        self.starts = 0
        self._argv, self._log, self._env = argv, log, env
        self._process: subprocess.Popen[bytes] | None = None
        self._again_at = 0.0

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def look(self) -> None:
        """Start it when it is due; notice when it has died."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._again_at:
                self._start()
        elif self._process.poll() is not None:
            session.kill({self._process.pid})
            self._process, self._again_at = None, now + PAUSE_S

    def _start(self) -> None:
        self.starts += 1
        self._process = spawn(self._argv, die_with=signal.SIGKILL, env=self._env, cwd=ROOT, output=self._log.fileno())

    def stop(self) -> None:
        if self._process is not None:
            for pid in session.members({self._process.pid}):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            end(self._process, [signal.SIGTERM], patience=10)
            session.kill({self._process.pid})
        self._log.close()


class Crew:
    def __init__(self, folder: Path, exchange: Path, workers: int) -> None:
        logs = folder / "logs"
        logs.mkdir()
        everything = {**os.environ, "PYTHONUNBUFFERED": "1"}
        worker = [sys.executable, "-m", "tests.faults.worker", str(exchange)]
        scheduler = [sys.executable, str(ROOT / "manage.py"), "scheduler"]
        self.posts = [
            Post(f"worker-{n}", worker, (logs / f"worker-{n}").open("ab"), everything) for n in range(1, workers + 1)
        ]
        self.posts.append(Post("scheduler", scheduler, (logs / "scheduler").open("ab"), everything))

    def look(self) -> None:
        for post in self.posts:
            post.look()

    @property
    def restarts(self) -> int:
        return sum(max(post.starts - 1, 0) for post in self.posts)

    def stop(self) -> None:
        for post in self.posts:
            post.stop()
