"""What a look makes of an answer, and of none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from migrations_app.alerts.looks import Found, look_at, look_at_itself
from migrations_app.health import processes
from migrations_app.health.judging import DEGRADED, HEALTHY, UNHEALTHY
from migrations_app.outbound.address import Host
from tests.health.test_processes import told
from tests.outbound.sites import Site, serving


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


def heard(site: Site, body: object, status: int = 200) -> Found:
    site.says("/health", body if isinstance(body, str) else json.dumps(body), status)
    return look_at(f"{site.url}/health", [Host("127.0.0.1", site.port)])


def pool(saturation: object) -> dict[str, Any]:
    return {"status": "healthy", "database_pool": {"state": {"saturation": saturation}}}


@pytest.mark.parametrize(
    ("body", "code", "status", "reason"),
    [
        ({"status": "healthy", "degraded_reason": None}, 200, HEALTHY, ""),
        ({"status": "degraded", "degraded_reason": "redis_unavailable"}, 200, DEGRADED, "redis_unavailable"),
        ({"status": "unhealthy", "degraded_reason": "database_unreachable"}, 503, UNHEALTHY, "database_unreachable"),
        ({"status": "healthy", "degraded_reason": "redis_unavailable"}, 200, DEGRADED, "redis_unavailable"),
        ({"status": "degraded"}, 200, DEGRADED, "no_reason_told"),
        ("up", 200, HEALTHY, ""),
        ("oops", 500, UNHEALTHY, "http_500"),
        ({"status": 7}, 503, UNHEALTHY, "http_503"),
    ],
)
def test_an_answer_tells_of_health(site: Site, body: object, code: int, status: str, reason: str) -> None:
    found = heard(site, body, code)
    assert (found.status, found.reason, found.saturation, found.note) == (status, reason, None, "")


@pytest.mark.parametrize(("given", "kept"), [(0.9, 0.9), (1, 1.0), (0, 0.0), (1.5, None), (True, None), ("1", None)])
def test_a_saturation_is_a_share_or_was_not_told(site: Site, given: object, kept: float | None) -> None:
    assert heard(site, pool(given)).saturation == kept


def test_nobody_there_or_nothing_said_is_missed(site: Site) -> None:
    found = heard(site, "who are you", 401)
    assert (found.status, found.note) == ("missed", "It answers 401 and nothing about health.")
    nobody = look_at("http://127.0.0.1:1/health", [Host("127.0.0.1", 1)])
    assert nobody.status == "missed"
    assert nobody.note.endswith("nothing listens there.")
    inside = look_at(f"{site.url}/health", [])
    assert inside.status == "missed"
    assert "127.0.0.1" in inside.note


@pytest.mark.django_db
def test_itself_is_judged_by_what_its_web_processes_told() -> None:
    connection.ensure_connection()
    conn = connection.connection
    assert look_at_itself(conn) == Found("missed", note="No web process told of itself lately.")
    processes.publish(conn, told())
    found = look_at_itself(conn)
    assert (found.status, found.reason) == (HEALTHY, "")
    full = told("here:2")
    assert full.pool is not None
    processes.publish(conn, told("here:2", pool=type(full.pool)(**{**vars(full.pool), "saturation": 1.0})))
    found = look_at_itself(conn)
    assert (found.status, found.reason, found.saturation) == (DEGRADED, "db_pool_saturated", 1.0)
