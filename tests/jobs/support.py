"""A real worker process on the test's database and Redis, and waiting for what it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from migrations_app.embedded import session
from migrations_app.embedded.bind import Bind, wait_for_page
from migrations_app.embedded.places import LOOPBACK, free_port
from migrations_app.embedded.spawn import end, spawn

ROOT = Path(__file__).resolve().parents[2]
QUICK = {
    "LOCKSTEP_LEASE_SECONDS": "3",
    "LOCKSTEP_BEAT_SECONDS": "0.5",
    "LOCKSTEP_STALE_SECONDS": "6",
    "LOCKSTEP_RECONCILE_SECONDS": "0.3",
}


def wait_until(what: Callable[[], object], seconds: float = 60.0) -> None:
    """Fail unless it becomes true in time."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def database_url() -> str:
    """The address of the database this test runs in."""
    given = connection.settings_dict
    who = f"{quote(given['USER'], safe='')}:{quote(given['PASSWORD'], safe='')}"
    return f"postgresql://{who}@{given['HOST']}:{given['PORT']}/{given['NAME']}"


@contextmanager
def worker(**environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py worker` with short leases; whatever is left of its session is ended afterwards."""
    env: Mapping[str, str] = {**os.environ, **QUICK, "LOCKSTEP_DATABASE_URL": database_url(), **environment}
    process = spawn([sys.executable, "manage.py", "worker"], die_with=signal.SIGKILL, env=env, cwd=ROOT)
    try:
        yield process
    finally:
        end(process, [signal.SIGTERM], patience=15)
        session.kill({process.pid})


def children(process: subprocess.Popen[bytes]) -> set[int]:
    return session.members({process.pid}) - {process.pid}


def own_children(process: subprocess.Popen[bytes]) -> set[int]:
    """Without those that its children forked."""
    found = set()
    for pid in children(process):
        with suppress(FileNotFoundError):
            parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
            found |= {pid} if int(parent) == process.pid else set()
    return found


def no_redis() -> str:
    """An address where no Redis listens."""
    return f"unix://{settings.LOCKSTEP_DATA_DIR}/no-redis.sock?db=0"


@contextmanager
def web() -> Iterator[str]:
    """gunicorn as in production; the address to call it by."""
    bind = Bind(LOOPBACK, free_port())
    env = {**os.environ, "LOCKSTEP_DATABASE_URL": database_url(), "LOCKSTEP_WEB_POOL": "1", "GUNICORN_BIND": bind.text}
    argv = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "dashboard.wsgi:application"]
    process = spawn(argv, die_with=signal.SIGKILL, env=env, cwd=ROOT)
    try:
        assert wait_for_page(bind, "/login", host=LOOPBACK, patience=60, alive=lambda: process.poll() is None)
        yield bind.url
    finally:
        end(process, [signal.SIGTERM], patience=15)
        session.kill({process.pid})


def control_sessions() -> list[int]:
    """The sessions of others in the control database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return [pid for (pid,) in cursor.fetchall()]


@contextmanager
def silent_control_database() -> Iterator[None]:
    """What others asked it stays unanswered, as when the network swallows it; new connections are taken."""
    pids = control_sessions()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
