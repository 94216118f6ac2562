"""gunicorn for Lockstep: two processes of four threads on one address, GUNICORN_BIND.

The application is not preloaded, so that SIGHUP to the master loads new code while the address stays open.
"""

import gc
import os
import signal
import sys
from pathlib import Path

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

bind = os.environ.get("GUNICORN_BIND", "127.0.0.1:8000")
# Where a watchdog finds the master to send SIGHUP to.
pidfile = os.environ.get("WATCHDOG_PID_FILE") or None
workers = 2
threads = 4
# gthread, with two more threads for the boot gate alone and two for health.
worker_class = "dashboard.urgent.UrgentThreads"
# Longer than the longest call a page makes (55 s).
timeout = 65
graceful_timeout = 30
keepalive = 5
# As long as it may be: a matrix of many chosen environments names each in its address.
limit_request_line = 8190
# A slow leak never grows old; the jitter keeps both processes from ending together.
max_requests = 50_000
max_requests_jitter = 5_000
preload_app = False
# Its socket has one path per user, which two Locksteps on a machine would fight over.
control_socket_disable = True
accesslog = None
errorlog = "-"


def on_starting(server: Arbiter) -> None:
    """Web and watchdog under different contracts would wait for each other for ever."""
    from migrations_app.watchdog.contract import BadSetting, errors, read

    try:
        agreed = read(os.environ, Path(__file__).resolve().parents[1])
    except BadSetting as why:
        server.log.error(why)
        sys.exit(78)
    for sentence in (wrong := errors(agreed)):
        server.log.error(sentence)
    if wrong and agreed.validation_enforced:
        sys.exit(78)  # systemd does not start again what ended so


def post_fork(server: Arbiter, worker: Worker) -> None:
    """Let a stop end a worker that is still booting.

    Until a worker installs its own handlers it has the master's, which only queue the signal: the stop would be
    lost and the master would wait for the whole graceful_timeout.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while not server.SIG_QUEUE.empty():
        if server.SIG_QUEUE.get_nowait() == signal.SIGTERM:
            sys.exit(0)


def post_worker_init(worker: Worker) -> None:
    """A collection of garbage stops all threads, so it should not look through what is loaded by now."""
    gc.collect()
    gc.freeze()
    from django.conf import settings

    if settings.configured:
        from dashboard.health import publisher

        publisher.start()


def worker_exit(server: Arbiter, worker: Worker) -> None:
    """Tell that this process is gone, and hand its database connections back."""
    from django.conf import settings

    if not settings.configured:
        return
    from django.db import connections

    from dashboard.boot import pool
    from dashboard.health import own, publisher

    publisher.stop()
    own.LOOKS.close()
    pool.close()
    for connection in connections.all(initialized_only=True):
        close_pool = getattr(connection, "close_pool", None)
        if close_pool is not None:
            close_pool()
