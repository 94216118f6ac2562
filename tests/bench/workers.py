"""Real worker processes, as `manage.py worker` starts them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db.models.functions import Now

from migrations_app.models import WorkerProcess

_ROOT = Path(__file__).resolve().parents[2]
_READY_S = 60.0
_STOP_S = 30.0


class NotReady(Exception):
    """A worker ended, or did not report in time."""


@contextmanager
def working(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """That many workers, ready to take runs; ended when the block is left."""
    WorkerProcess.objects.filter(beat_at__lte=Now()).delete()
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
    return subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        cwd=_ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "dashboard.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait_until_ready(workers: list[subprocess.Popen[bytes]]) -> None:
    """Its reconciler beats in the control database, and RQ knows it as listening."""
    from rq import Worker

    from migrations_app.jobs import launcher

    deadline = time.monotonic() + _READY_S
    queue = launcher._queue()
    while WorkerProcess.objects.count() < len(workers) or Worker.count(queue=queue) < len(workers):
        if any(worker.poll() is not None for worker in workers):
            raise NotReady("a worker ended while starting")
        if time.monotonic() > deadline:
            raise NotReady(f"the workers were not ready within {_READY_S:.0f} s")
        time.sleep(0.05)


def _end(worker: subprocess.Popen[bytes]) -> None:
    try:
        worker.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
