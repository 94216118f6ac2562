"""What web processes tell of themselves: kept, read while it is young, removed when it is old."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from migrations_app.health import processes
from migrations_app.health.breaker import Breaker, BreakerRules
from migrations_app.health.pools import PoolState
from migrations_app.health.processes import RouteCache, WebProcess
from migrations_app.models import WebProcess as Row

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
CACHE = RouteCache("l1+l2", True, True, 3, 10, 4, 5, 1, 4)


def told(name: str = "here:1", **given: Any) -> WebProcess:
    pool = PoolState.of({"pool_size": 6, "pool_available": 1}, 1, 6, 1, NOW)
    made = WebProcess(name, 1, NOW, NOW, pool, Breaker(BreakerRules()).state(), CACHE, "f" * 64)
    return replace(made, **given)


def conn() -> Any:
    connection.ensure_connection()
    return connection.connection


def age(name: str, seconds: float) -> None:
    Row.objects.filter(name=name).update(sampled_at=datetime.now(UTC) - timedelta(seconds=seconds))


def test_what_was_told_is_read_again_and_told_anew_in_the_same_row() -> None:
    processes.publish(conn(), told())
    (found,) = processes.read(conn())
    assert found.pool and told().pool
    assert replace(found, sampled_at=NOW, pool=replace(found.pool, sampled_at=NOW)) == told()
    assert found.pool.sampled_at == found.sampled_at  # by the database's clock
    processes.publish(conn(), told(pool=None, worker_pid=7))
    (found,) = processes.read(conn())
    assert (found.pool, found.worker_pid, Row.objects.count()) == (None, 7, 1)


def test_old_rows_are_ignored_then_removed_and_a_process_that_ends_removes_its_own() -> None:
    for name in ("here:1", "here:2", "here:3"):
        processes.publish(conn(), told(name))
    age("here:2", processes.YOUNG_S + 1)
    age("here:3", processes.KEPT_S + 1)
    assert [one.name for one in processes.read(conn())] == ["here:1"]
    processes.publish(conn(), told())
    assert set(Row.objects.values_list("name", flat=True)) == {"here:1", "here:2"}
    processes.remove(conn(), "here:1")
    assert processes.read(conn()) == ()


def test_a_row_of_another_release_is_left_out() -> None:
    processes.publish(conn(), told())
    processes.publish(conn(), told("here:2"))
    Row.objects.filter(name="here:2").update(route_cache={"another": "shape"})
    assert [one.name for one in processes.read(conn())] == ["here:1"]
