"""The thread that tells of its process, one beat at a time, and what pages share through Redis."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.utils.safestring import SafeString
from redis import Redis

from dashboard.health import pool, read_models
from dashboard.health.own import BEATS, Away
from dashboard.health.publisher import Publisher
from dashboard.health.this_process import name, route_cache
from dashboard.pages import shared
from dashboard.pages.kept import Kept, one_text
from dashboard.pages.kept_counts import COUNTS
from migrations_app.models import WebProcess
from tests.jobs.support import no_redis
from tests.waiting import until

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_new(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    shared.forget()
    monkeypatch.setattr(settings, "ROUTE_CACHE", "l1+l2")
    monkeypatch.setattr(settings, "SECRET_KEY", f"an installation of its own: {uuid4()}")
    for counter in ("reads", "writes", "l1_hits", "l2_hits", "misses", "l1_size"):
        monkeypatch.setattr(COUNTS, counter, 0)
    yield
    shared.forget()
    read_models.forget()


def kept() -> Kept[SafeString]:
    """As another process would have it."""
    return Kept(2, packing=one_text("test page"))


def never() -> SafeString:
    raise AssertionError("it was drawn")


def written() -> None:
    until(lambda: shared._side.free._value == shared.BACKLOG, what="what was drawn is shared")


def test_a_beat_tells_of_this_process_and_reads_what_health_tells_from() -> None:
    publisher = Publisher()
    publisher.step()
    row = WebProcess.objects.get()
    assert (row.name, row.pool, row.breaker["state"]) == (name(), None, "CLOSED")
    assert row.route_cache["mode"] == "l1+l2"
    found = read_models.kept()
    assert found and found.is_fresh
    publisher.step()
    assert read_models.kept() is found  # not due again
    publisher.stop()
    assert not WebProcess.objects.exists()


def test_it_goes_on_while_the_database_or_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Publisher()

    def away(*_: Any) -> None:
        raise Away("nobody answers")

    with monkeypatch.context() as broken:
        broken.setattr(BEATS, "ask", away)
        broken.setattr(settings, "REDIS_URL", no_redis())
        publisher.step()
        assert not WebProcess.objects.exists()
        assert (route_cache().mode, route_cache().degraded) == ("l1-only", True)
    shared.forget()
    publisher.step()
    assert WebProcess.objects.exists()
    assert (route_cache().mode, route_cache().degraded) == ("l1+l2", False)


def test_a_pool_that_nobody_used_is_not_made_for_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pool.sample(datetime.now(UTC)) is None
    assert pool.configured()["health_pool_timeout"] == 0.0
    used = SimpleNamespace(min_size=1, max_size=6, get_stats=lambda: {"pool_size": 6, "requests_waiting": 1})
    monkeypatch.setitem(connection._connection_pools, "default", used)  # type: ignore[attr-defined]
    state = pool.sample(datetime.now(UTC))
    assert state and (state.checked_out, state.saturation) == (6, 1.0)


def test_what_one_process_drew_the_other_does_not_draw() -> None:
    here, there = kept(), kept()
    assert here.get("v1", lambda: SafeString("<b>drawn</b>")) == "<b>drawn</b>"
    written()
    assert there.get("v1", never) == "<b>drawn</b>" and isinstance(there.get("v1", never), SafeString)
    told = route_cache()
    assert (told.reads_total, told.l1_hits, told.l2_hits, told.misses) == (3, 1, 1, 1)
    assert (told.writes_total, told.l1_size) == (1, 2)
    assert there.get("v2", lambda: SafeString("another")) == "another"


def test_what_another_wrote_there_or_another_lockstep_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    kept().get("v1", lambda: SafeString("ours"))
    written()
    key = shared._key("test page", "v1")
    stored = shared._writer().get(key)
    assert isinstance(stored, bytes)
    shared._writer().set(key, stored.replace(b"ours", b"evil"))
    assert kept().get("v1", lambda: SafeString("drawn")) == "drawn"
    written()
    monkeypatch.setattr(settings, "SECRET_KEY", "another installation")
    assert kept().get("v1", lambda: SafeString("drawn")) == "drawn"


def test_redis_away_costs_one_page_a_moment_and_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", no_redis())
    asked: list[float] = []
    made = shared._client

    def client(patience_s: float) -> Redis:
        asked.append(patience_s)
        return made(patience_s)

    monkeypatch.setattr(shared, "_client", client)
    for version in ("v1", "v2", "v3"):
        assert kept().get(version, lambda: SafeString("drawn")) == "drawn"
    assert asked == [shared.READ_S]
    assert (shared.mode(), route_cache().degraded) == ("l1-only", True)


def test_without_a_route_cache_everything_is_drawn_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for mode, drawn in (("none", 2), ("l1-only", 1)):
        monkeypatch.setattr(settings, "ROUTE_CACHE", mode)
        numbers = itertools.count()
        one = kept()
        answers = {one.get("v1", lambda numbers=numbers: SafeString(next(numbers))) for _ in range(2)}  # type: ignore[misc]
        assert (len(answers), shared.mode(), route_cache().degraded) == (drawn, mode, False)
