"""Looks at health every 15 s and judges what was seen, beside whatever else the scheduler does: a slow target must not
cost a look."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from migrations_app.alerts import episodes, samples, states
from migrations_app.alerts.evaluating import Restarts, evaluate
from migrations_app.alerts.looks import Found, look_at, look_at_itself
from migrations_app.alerts.thresholds import read_thresholds
from migrations_app.health.restarts import standing
from migrations_app.models import Environment
from migrations_app.models.health_sample import ITSELF
from migrations_app.outbound.address import read_hosts
from migrations_app.watchdog.entry import EXECUTED

_AT_ONCE = 32
_TIDY_EVERY = timedelta(minutes=5)

log = structlog.get_logger(__name__)


def sample_forever(stopping: threading.Event, leading: threading.Event) -> None:
    """In a thread of its own, while `leading` is set: one scheduler works at a time."""
    last: datetime | None = None
    while not stopping.wait(1.0):
        if not leading.is_set():
            continue
        try:
            slot = samples.current_slot()
            if slot != last:
                sample(slot)
                last = slot
        except (DatabaseError, InterfaceError) as error:
            log.warning("health was not looked at", error=type(error).__name__)
            connection.close()
    connection.close()


def sample(slot: datetime) -> None:
    """Every place once. Then, every five minutes, sum up and forget."""
    samples.prepare_days()
    found = _looks()
    samples.keep(slot, found)
    _judge(found.keys(), slot)
    if slot.timestamp() % _TIDY_EVERY.total_seconds() == 0:
        samples.sum_up()
        samples.forget()


def _judge(places: Iterable[int], slot: datetime) -> None:
    judged = evaluate(places, read_thresholds(), _restarts(), slot, states.streaks())
    states.keep(judged, slot)
    episodes.follow(judged, slot)


def _restarts() -> Restarts:
    """As the watchdog's files tell of them."""
    stands = standing()
    executed = [entry.completed_at for entry in stands.kept.history if entry.success and entry.decision == EXECUTED]
    blocked = stands.state.state == "blocked"
    return Restarts(executed, f"{stands.state.attempts} of late, and no further one is allowed." if blocked else "")


def _looks() -> dict[int, Found]:
    hosts = read_hosts(settings.LOCKSTEP_OUTBOUND_HOSTS)
    asked = dict(Environment.objects.exclude(health_url="").values_list("pk", "health_url"))
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(asked) or 1)) as pool:
        heard = {place: pool.submit(look_at, url, hosts) for place, url in asked.items()}
        connection.ensure_connection()
        itself = look_at_itself(connection.connection)
    return {ITSELF: itself, **{place: one.result() for place, one in heard.items()}}
