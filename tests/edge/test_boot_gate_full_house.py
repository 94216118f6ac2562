"""The web server as it is shipped, with every thread of both processes stuck in the database: the gate answers."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest

from dashboard import tokens
from dashboard.urgent import GATE, HEAD_S, HEALTH, asked_of
from migrations_app.models import NodeReport
from tests.edge.fleet import make_service
from tests.edge.people import person
from tests.edge.releases import make_chain, make_standing
from tests.jobs.support import database_url, web
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 2 * 4  # processes and their threads, as in deploy/gunicorn.conf.py
CROWD = THREADS * 8
QUERY = urlencode({"service": "orders", "environment": "prod", "schema_rev": "sc-10", "node": "n1"})


@dataclass(frozen=True)
class Told:
    status: int
    body: Any
    seconds: float


def get(url: str, path: str, **headers: str) -> Told:
    begun = time.monotonic()
    conn = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        conn.request("GET", path, headers=headers)
        response = conn.getresponse()
        raw = response.read()
    finally:
        conn.close()
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    return Told(response.status, json.loads(raw) if is_json else None, time.monotonic() - begun)


@contextmanager
def full_house(url: str) -> Iterator[psycopg.Connection]:
    """Every thread waits in the database for a table that somebody has locked, and more requests wait for a thread.

    Which process takes a request is chance, so there are enough for the one that is less lucky.
    """
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with psycopg.connect(database_url()) as holder, ThreadPoolExecutor(CROWD) as crowd:
        holder.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        with psycopg.connect(database_url(), autocommit=True) as look:
            readers = 0

            def all_stuck() -> bool:
                nonlocal readers
                row = look.execute(waiting).fetchone()
                assert row is not None
                if row[0] < THREADS and readers < CROWD:
                    readers += 1
                    crowd.submit(get, url, "/", Cookie=f"lockstep_session={'x' * 32}")
                return bool(row[0] >= THREADS)

            until(all_stuck, what="every thread waits")
        yield holder
        holder.rollback()


def test_the_gate_answers_while_every_thread_and_connection_is_in_use() -> None:
    vic = person("vic", "viewer")
    service = make_service(vic)
    make_chain(service)
    make_standing(service, "prod", 3, reachability="ok")
    bearer = {"Authorization": f"Bearer {tokens.create(user=vic, by=None).text}"}
    with web() as url:
        with full_house(url):
            answers = [get(url, f"/api/v1/boot-gate?{QUERY}", **bearer) for _ in range(10)]
            assert [(one.status, one.body) for one in answers] == [(200, {"allow": True})] * 10
            assert max(one.seconds for one in answers) < 2
            stranger = get(url, f"/api/v1/boot-gate?{QUERY}")
            assert stranger.status == 401
        until(lambda: NodeReport.objects.filter(node="n1").exists(), what="the node has reported")
        _a_database_that_is_locked_is_no_yes(url, bearer)
        _a_silent_connection_keeps_nobody_waiting(url, bearer)
        _half_a_question_keeps_nobody_waiting_for_long(url, bearer)


def _a_database_that_is_locked_is_no_yes(url: str, bearer: dict[str, str]) -> None:
    with psycopg.connect(database_url()) as holder:
        holder.execute("LOCK TABLE migrations_app_environment IN ACCESS EXCLUSIVE MODE")
        told = get(url, f"/api/v1/boot-gate?{QUERY}", **bearer)
        holder.rollback()
    assert (told.status, told.body["allow"], told.body["reasons"][0]["code"]) == (503, False, "database_away")
    assert get(url, f"/api/v1/boot-gate?{QUERY}", **bearer).status == 200


def _a_silent_connection_keeps_nobody_waiting(url: str, bearer: dict[str, str]) -> None:
    """More than there are threads, none of which says a word."""
    place = urlsplit(url)
    silent = [socket.create_connection((str(place.hostname), place.port or 80)) for _ in range(THREADS * 2)]
    try:
        assert get(url, "/login").seconds < 3
        assert get(url, f"/api/v1/boot-gate?{QUERY}", **bearer).status == 200
    finally:
        for one in silent:
            one.close()


def _half_a_question_keeps_nobody_waiting_for_long(url: str, bearer: dict[str, str]) -> None:
    """Ordinary threads wait for the rest of it, for HEAD_S; before they gave up, the gate has answered."""
    place = urlsplit(url)
    halves = [socket.create_connection((str(place.hostname), place.port or 80)) for _ in range(THREADS * 2)]
    try:
        for one in halves:
            one.sendall(b"GET /api/v1/boot-gate?")
        told = get(url, f"/api/v1/boot-gate?{QUERY}", **bearer)
        assert (told.status, told.body) == (200, {"allow": True})
        assert told.seconds < HEAD_S / 2
        halves[0].settimeout(4 * HEAD_S)
        assert halves[0].recv(1) == b""
    finally:
        for one in halves:
            one.close()


def test_whose_request_it_is_shows_in_its_first_bytes() -> None:
    whole = b" HTTP/1.1\r\nHost: x\r\n\r\n"
    for sent, whose in (
        (b"GET /api/v1/boot-gate?x" + whole, GATE),
        (b"GET /api/v1/boot-gate?x", ""),
        (b"GET /api/v1/boot-gate?x HTTP/1.1\r\nHost: x\r\n", ""),
        (b"GET /api/v1/boot-gates?x" + whole, ""),
        (b"GET /api/v1/bo", ""),
        (b"", ""),
        (b"GET /health" + whole, HEALTH),
        (b"HEAD /health" + whole, HEALTH),
        (b"GET /health/deep" + whole, HEALTH),
        (b"GET /readyz?now" + whole, HEALTH),
        (b"GET /livez" + whole, HEALTH),
        (b"GET /healthy" + whole, ""),
        (b"POST /health" + whole, ""),
    ):
        here, there = socket.socketpair()
        with here, there:
            there.sendall(sent)
            assert asked_of(here) == whose, sent
            assert here.recv(100, socket.MSG_DONTWAIT) == sent if sent else True
