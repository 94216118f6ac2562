"""The look at a health address: what is kept of an answer, what it may not do, and what passes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.contrib.auth.models import User

from migrations_app.engine.errors import Refused
from migrations_app.models import Drill, Environment
from migrations_app.rehearsals.drills.health import MOST_BYTES, Answer, ask, passes, take_health
from tests.edge.drills import press, ready
from tests.edge.fleet import make_environment, make_service


class _Site(BaseHTTPRequestHandler):
    """Answers by path; what it was asked is kept on the class."""

    asked: list[str] = []
    status = "healthy"

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/secret")
            self.end_headers()
        elif self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            self._drip()
        elif self.path == "/drip-head":
            self.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
            self._drip()
        elif self.path == "/large":
            self._say(200, '{"status": "healthy", "x": "' + "a" * MOST_BYTES + '"}')
        elif self.path == "/down":
            self._say(503, '{"status": "unhealthy"}')
        else:
            told = {"status": self.status, "degraded_reason": None, "password": "hunter2"}
            self._say(200, json.dumps(told))

    def _say(self, code: int, body: str) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(body.encode())

    def _drip(self) -> None:
        try:
            for _ in range(100):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    _Site.asked, _Site.status = [], "healthy"
    server = HTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def drill_at(olga: User) -> Callable[[str], Drill]:
    def make(url: str) -> Drill:
        environment = make_environment(make_service(olga))
        Environment.objects.update(health_url=url)
        environment.refresh_from_db()
        return press(ready(environment, olga), olga, 3)

    return make


def test_it_keeps_status_and_reason_and_nothing_else(site: str) -> None:
    assert ask(f"{site}/health") == Answer(200, "healthy", "")
    assert ask(f"{site}/down") == Answer(503, "unhealthy", "")


def test_it_follows_nobody_elsewhere(site: str) -> None:
    assert ask(f"{site}/moved").code == 302
    assert _Site.asked == ["/moved"]


def test_it_reads_no_more_than_it_may(site: str) -> None:
    assert ask(f"{site}/large") == Answer(200, "", "")


@pytest.mark.parametrize("path", ["/drip", "/drip-head"])
def test_it_does_not_wait_for_one_that_drips(site: str, path: str) -> None:
    begun = time.monotonic()
    assert ask(f"{site}{path}", timeout_s=0.3) == Answer(0, "no answer within 0.3 s")
    assert time.monotonic() - begun < 1.5


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x.example/", "gopher://x", "", "http://", "http://x:99999/"]
)
def test_it_asks_only_over_http(url: str) -> None:
    assert ask(url) == Answer(0, "no http or https address")


def test_whoever_does_not_answer_is_told_as_that() -> None:
    assert ask("http://127.0.0.1:1/health").words == "no answer: ConnectionRefusedError"


@pytest.mark.parametrize(
    ("answer", "baseline", "good"),
    [
        (Answer(200, "healthy"), "", True),
        (Answer(200, ""), "", True),
        (Answer(200, "degraded"), "", False),
        (Answer(200, "degraded"), "200 healthy", False),
        (Answer(200, "degraded", "redis away"), "200 degraded: redis away", True),
        (Answer(200, "degraded", "pool full"), "200 degraded: redis away", False),
        (Answer(200, "healthy"), "200 degraded: redis away", True),
        (Answer(200, "splendid"), "200 healthy", False),
        (Answer(0, "no answer within 5 s"), "200", False),
        (Answer(503, "unhealthy"), "", False),
        (Answer(302, ""), "", False),
        (Answer(0, "no answer"), "", False),
    ],
)
def test_it_passes_when_it_is_at_least_as_before(answer: Answer, baseline: str, good: bool) -> None:
    assert passes(answer, baseline) is good


def test_after_the_recovery_it_is_measured_against_what_was_before(
    site: str, drill_at: Callable[[str], Drill], olga: User
) -> None:
    drill = drill_at(f"{site}/health")
    _Site.status = "degraded"
    assert take_health(drill, side="before", by=olga).passed
    after = take_health(drill, side="after", by=olga)
    assert (after.passed, after.expected, after.got, after.measured) == (True, "200 degraded", "200 degraded", True)
    _Site.status = "unhealthy"
    assert not take_health(drill, side="after", by=olga).passed


def test_an_environment_without_an_address_says_so(drill_at: Callable[[str], Drill], olga: User) -> None:
    with pytest.raises(Refused) as refusal:
        take_health(drill_at(""), side="after", by=olga)
    assert refusal.value.code == "no_health_url"
