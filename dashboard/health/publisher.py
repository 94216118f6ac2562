"""A thread of each web process that tells every few seconds how it is, through a connection of its own.

It never asks for one of the pool, goes on while the database is away, and ends with its process.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import structlog
from django.conf import settings

from dashboard.health import read_models
from dashboard.health.own import BEATS, Away
from dashboard.health.this_process import name, this_process
from dashboard.pages import shared
from migrations_app.health import processes

WITHIN_S = 6.0
LEAVING_S = 0.5

logger = structlog.get_logger(__name__)


class Publisher:
    def __init__(self, every_s: float = processes.EVERY_S) -> None:
        self._every_s = every_s
        self._stop = Event()
        self._thread = Thread(target=self._run, name="health-publisher", daemon=True)
        self._told_away = False

    def start(self) -> None:
        read_models.enable()
        self._thread.start()

    def stop(self) -> None:
        """The row is removed at once, if the database answers soon; otherwise it grows old."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(LEAVING_S)
        try:
            BEATS.ask(lambda conn: processes.remove(conn, name()), LEAVING_S)
        except Away:
            return
        finally:
            BEATS.close()

    def step(self) -> None:
        """One beat; each part of it whatever becomes of the others."""
        self._safely(shared.look)
        self._safely(self._publish)
        if read_models.due():
            self._safely(lambda: BEATS.ask(read_models.refresh, WITHIN_S))

    def _run(self) -> None:
        while True:
            self.step()
            if self._stop.wait(self._every_s):
                return

    def _publish(self) -> None:
        told = this_process()
        BEATS.ask(lambda conn: processes.publish(conn, told), WITHIN_S)
        if self._told_away:
            logger.info("health.published_again")
        self._told_away = False

    def _safely(self, part: Callable[[], object]) -> None:
        """Nobody looks after this thread: a part that fails is told and tried again at the next beat."""
        try:
            part()
        except Away as away:
            if not self._told_away:
                logger.warning("health.not_published", cause=str(away))
            self._told_away = True
        except Exception:
            logger.exception("health.publisher")


_running: list[Publisher] = []


def start() -> None:
    """In a web process that has connections for it; another one tells of itself when it is asked."""
    if settings.HEALTH_CONNECTIONS and not _running:
        publisher = Publisher()
        _running.append(publisher)
        publisher.start()


def stop() -> None:
    while _running:
        _running.pop().stop()
