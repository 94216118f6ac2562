"""Real worker processes, as `manage.py worker` starts them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django_rq
from rq import Worker

from migrations_app.embedded.pytest_servers import home
from migrations_app.jobs import launcher
from migrations_app.models import WorkerProcess

_ROOT = Path(__file__).resolve().parents[2]
_READY_S = 60.0
_STOP_S = 30.0


class NotReady(Exception):
    """A worker ended, or did not report in time."""


@contextmanager
def working(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """That many workers, ready to take runs; ended when the block is left."""
    WorkerProcess.objects.all().delete()
    workers = [_start() for _ in range(count)]
    try:
        _wait_until_ready(workers)
        yield workers
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            _end(worker)


def _start() -> subprocess.Popen[bytes]:
    """What it says goes to a file, shown when it does not get ready."""
    with _log().open("ab") as said:
        return subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=_ROOT, stdout=said, stderr=said)


def _log() -> Path:
    return home() / "workers.log"


def _wait_until_ready(workers: list[subprocess.Popen[bytes]]) -> None:
    """Its reconciler beats in the control database, and RQ knows it as listening."""
    deadline = time.monotonic() + _READY_S
    queue = django_rq.get_queue(launcher.QUEUE)
    while WorkerProcess.objects.count() < len(workers) or Worker.count(queue=queue) < len(workers):
        if any(worker.poll() is not None for worker in workers):
            raise NotReady(f"a worker ended while starting and said: {_log().read_text()[-2000:]}")
        if time.monotonic() > deadline:
            raise NotReady(f"the workers were not ready within {_READY_S:.0f} s")
        time.sleep(0.05)


def _end(worker: subprocess.Popen[bytes]) -> None:
    try:
        worker.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
