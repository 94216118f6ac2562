"""The web server as it is shipped, while every thread waits and its database is stopped: health is told anyway."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from dashboard import tokens
from migrations_app.embedded import pytest_servers
from migrations_app.models import WebProcess
from tests.edge.people import person
from tests.edge.test_boot_gate_full_house import Told, full_house, get
from tests.jobs.support import silent_control_database, web
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

ANSWER_S = 5.0  # half a second is the limit; the rest is for a machine that has other things to do


@contextmanager
def stopped_database() -> Iterator[None]:
    """Nobody there is answered any more, and nobody new: connections are taken by the system alone."""
    server = pytest_servers.postgres_server(18).pid
    os.kill(server, signal.SIGSTOP)
    try:
        with silent_control_database():
            yield
    finally:
        os.kill(server, signal.SIGCONT)


def crowd(ask: Callable[[], Told]) -> list[Told]:
    with ThreadPoolExecutor(12) as callers:
        return [asked.result() for asked in [callers.submit(ask) for _ in range(12)]]


def all_within(ask: list[Told]) -> set[int]:
    assert max(one.seconds for one in ask) < ANSWER_S, [one.seconds for one in ask]
    return {one.status for one in ask}


def test_health_is_told_while_every_thread_waits_and_while_the_database_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEALTH_MEMO_TTL_SECONDS", "0.3")  # so that what is over is soon forgotten
    bearer = {"Authorization": f"Bearer {tokens.create(user=person('ada', 'admin'), by=None).text}"}
    with web() as url:
        until(lambda: WebProcess.objects.count() == 2, what="both processes told of themselves")
        health, deep = partial(get, url, "/health"), partial(get, url, "/health/deep", **bearer)
        quiet = health(**bearer)
        assert (quiet.status, quiet.body["status"], quiet.body["degraded_reason"]) == (200, "healthy", None)
        assert quiet.body["runtime_contract"]["contract"]["gunicorn_bind"] in url
        assert quiet.body["route_cache"]["mode"] == "l1+l2" and quiet.body["cache"]["enabled"]
        with full_house(url):
            assert all_within([health(**bearer) for _ in range(8)]) == {200}
            assert all_within([deep() for _ in range(2)]) == {200}
            # Its session cannot be looked up now, for somebody holds that table.
            stranger = health(Cookie=f"lockstep_session={'x' * 32}")
            assert (stranger.status, set(stranger.body)) == (200, {"status"}) and stranger.seconds < ANSWER_S
            assert all_within([get(url, path) for path in ("/livez", "/readyz")]) == {200}
            state = health(**bearer).body["database_pool"]["state"]
            assert state["checked_out"] >= 4 and state["scope"] == "max_over_processes"
        with stopped_database():
            assert all_within(crowd(health)) <= {200, 503}  # what was kept may hold for a moment
            until(lambda: {health().status for _ in range(8)} == {503}, what="both processes have noticed")
            answers = crowd(health)
            assert all_within(answers) == {503}
            assert {one.body["status"] for one in answers} == {"unhealthy"}
            assert get(url, "/readyz").status == 503
            assert all_within([get(url, "/livez")]) == {200}
        until(lambda: health().status == get(url, "/readyz").status == 200, what="it is healthy again")
    assert WebProcess.objects.count() == 0  # those that ended said so
