"""A web process whose database is in use, lost, stopped or killed: pages and API say which of these it is.

The server, gunicorn and the outages are real; each test puts back what it broke.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from django.db import OperationalError
from psycopg_pool import PoolTimeout

from dashboard import outage
from migrations_app.embedded import postgres
from migrations_app.embedded.places import free_port
from migrations_app.embedded.secret import credentials_key, signing_key
from tests.waiting import until

PROJECT = Path(__file__).parents[2]
POOL = 6
NOT_A_SESSION = "x" * 32
EXHAUSTED = "Every connection of this web process to Lockstep's own database is in use. Nothing was done."
AWAY = "Lockstep's own database takes no connection. Nothing was done."
LEFT_ALONE = "Lockstep's own database failed too often, so it is left alone for a while. Nothing was done."
RECOVERY_S = 5
SESSION = {"Cookie": f"lockstep_session={NOT_A_SESSION}"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def told(self) -> str:
        """The sentence, code and waiting time of a refusal, wherever it stands."""
        return unescape(self.body)


@dataclass
class House:
    """A database of its own and web processes on it: with a pool, with its breaker too (`guarded`), and without."""

    folder: Path
    server: postgres.Server
    ports: dict[str, int]

    def get(self, path: str, web: str = "pool", **headers: str) -> Answer:
        conn = http.client.HTTPConnection("127.0.0.1", self.ports[web], timeout=40)
        try:
            conn.request("GET", path, headers=headers)
            response = conn.getresponse()
            return Answer(response.status, dict(response.headers), response.read().decode())
        finally:
            conn.close()

    def page(self, web: str = "pool") -> Answer:
        """A page for somebody whose session has to be looked up."""
        return self.get("/", web, **SESSION)

    def api(self, web: str = "pool") -> Answer:
        return self.get("/api/v1/services", web, Authorization=f"Bearer lockstep_{'a' * 8}_{'b' * 43}")

    def kill(self) -> None:
        """As the machine's memory killer would; who serves a connection ends a moment after the server itself."""
        serving = _children(self.server.pid)
        os.kill(self.server.pid, signal.SIGKILL)
        self.server.process.wait(20)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in serving), what="nobody serves any more")
        self.server.stop()

    def bring_back(self) -> None:
        port = self.server.port
        self.server = postgres.start(self.folder, 18, fast=True)
        assert self.server.port == port
        until(lambda: all(self.page(web).status == 302 for web in self.ports), what="the pages are back", within=40)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    # Its parents let another user through: PostgreSQL does not run as root.
    folder = tmp_path_factory.mktemp("outage")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o711)
    server = postgres.start(folder / "pg", 18, fast=True)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "dashboard.settings",
        "LOCKSTEP_DATABASE_URL": server.dsn,
        "LOCKSTEP_SECRET_KEY": signing_key(),
        "LOCKSTEP_CREDENTIALS_KEY": credentials_key(),
        "LOCKSTEP_HEALTH_ALLOW": "127.0.0.1",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], cwd=PROJECT, env=environment, check=True, capture_output=True
    )
    webs = {
        "pool": _web(environment, LOCKSTEP_WEB_POOL="true", CIRCUIT_BREAKER_ENABLED="false"),
        "guarded": _web(environment, LOCKSTEP_WEB_POOL="true", CIRCUIT_BREAKER_RECOVERY_TIMEOUT=str(RECOVERY_S)),
        "plain": _web(environment, LOCKSTEP_WEB_POOL="false"),
    }
    house = House(folder / "pg", server, {name: port for name, (_, port) in webs.items()})
    try:
        for name in webs:
            until(lambda name=name: _answers(house, name), what=f"the web process {name}", within=60)  # type: ignore[misc]
        yield house
    finally:
        for process, _ in webs.values():
            process.terminate()
            process.wait(30)
        house.server.stop()


def _web(environment: Mapping[str, str], **settings: str) -> tuple[subprocess.Popen[bytes], int]:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "16"]
    options = ["--no-control-socket", "dashboard.wsgi:application"]
    given = {**environment, **settings}
    return subprocess.Popen([*command, *options], cwd=PROJECT, env=given, stderr=subprocess.DEVNULL), port


def _answers(house: House, web: str) -> bool:
    try:
        return house.page(web).status == 302
    except OSError:
        return False


@contextmanager
def stuck_requests(house: House, count: int) -> Iterator[list[Future[Answer]]]:
    """So many requests, each waiting in the database for a table that somebody has locked."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with psycopg.connect(house.server.dsn) as holder, ThreadPoolExecutor(count) as crowd:
        holder.execute("LOCK TABLE django_session, migrations_app_apitoken IN ACCESS EXCLUSIVE MODE")
        futures = [crowd.submit(_until_let_in, house.page) for _ in range(count)]
        with psycopg.connect(house.server.dsn, autocommit=True) as look:
            until(lambda: look.execute(waiting).fetchone() == (count,), what=f"{count} requests wait")
            yield futures
        holder.rollback()


def _until_let_in(ask: Callable[[], Answer]) -> Answer:
    """The pool grows while they come: whom it has no connection for yet asks again."""

    def let_in() -> Answer | None:
        answer = ask()
        return None if "DB_POOL_EXHAUSTED" in answer.body else answer

    answer = until(let_in, what="a place")
    assert answer is not None
    return answer


def end_all(house: House, function: str) -> None:
    with psycopg.connect(house.server.dsn, autocommit=True) as conn:
        conn.execute(f"SELECT {function}(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


def is_page(answer: Answer, sentence: str, code: str, wait: int) -> None:
    assert answer.status == 503, answer
    assert answer.headers["Retry-After"] == str(wait)
    assert answer.headers["X-Lockstep-Code"] == code
    first, _, rest = sentence.partition(". ")
    assert f"<h1>{first}.</h1>" in answer.told and rest in answer.told
    assert code in answer.told and answer.headers["X-Request-ID"] in answer.told
    assert "Content-Security-Policy" in answer.headers


def is_envelope(answer: Answer, sentence: str, code: str, wait: int) -> None:
    told = json.loads(answer.body)
    assert answer.status == 503, answer
    assert (told["error"]["code"], told["error"]["message"]) == (code, sentence)
    assert answer.headers["Retry-After"] == str(told["meta"]["retry_after_seconds"]) == str(wait)


def _figures(answer: Answer, name: str) -> set[str]:
    return {line.rpartition(" ")[2] for line in answer.body.splitlines() if re.match(rf"lockstep_{name}[ {{]", line)}


def test_a_database_that_answers_is_no_outage(house: House) -> None:
    assert (house.page().status, house.api().status) == (302, 401)


def test_a_pool_in_use_is_called_that(house: House) -> None:
    """Whatever found it so: the view, the look-up of the session before any view, or a poll that has a version."""
    with stuck_requests(house, POOL) as stuck, ThreadPoolExecutor(8) as crowd:
        pages = [crowd.submit(house.page), crowd.submit(house.get, "/", **SESSION, **{"If-None-Match": '"old"'})]
        answers = [crowd.submit(house.api), crowd.submit(house.get, "/api/v1/services", **SESSION)]
        answers.append(crowd.submit(house.get, "/admin/api/worker/status", **SESSION))
        scrape = crowd.submit(house.get, "/metrics")
        for page in pages:
            is_page(page.result(), EXHAUSTED, "DB_POOL_EXHAUSTED", 5)
        for answer in answers:
            is_envelope(answer.result(), EXHAUSTED, "DB_POOL_EXHAUSTED", 5)
        # Prometheus hears of it all the same: that is when the figures of the pool matter.
        assert (scrape.result().status, _figures(scrape.result(), "up")) == (200, {"0.0"})
        assert _figures(scrape.result(), "pool_saturation") >= {"1.0"}
    assert {future.result().status for future in stuck} == {302}


def test_a_database_that_keeps_failing_is_left_alone_and_then_tried(house: House) -> None:
    house.kill()
    try:
        with ThreadPoolExecutor(5) as crowd:
            failed = [future.result() for future in [crowd.submit(house.page, "guarded") for _ in range(5)]]
        assert {answer.headers["X-Lockstep-Code"] for answer in failed} == {"DB_CONNECTION_FAILED"}
        for check, answer in ((is_page, house.page("guarded")), (is_envelope, house.api("guarded"))):
            left = int(answer.headers["Retry-After"])
            assert 1 <= left <= RECOVERY_S
            check(answer, LEFT_ALONE, "CIRCUIT_BREAKER_OPEN", left)
        assert house.get("/login", "guarded").status == 200  # what needs no database is there
    finally:
        house.bring_back()
    assert house.api("guarded").status == 401


@pytest.mark.parametrize("web", ["pool", "plain"])
def test_a_database_that_was_killed_is_not_called_a_full_pool(house: House, web: str) -> None:
    house.kill()
    try:
        is_page(house.page(web), AWAY, "DB_CONNECTION_FAILED", 5)
        is_envelope(house.api(web), AWAY, "DB_CONNECTION_FAILED", 5)
    finally:
        house.bring_back()


def test_a_crowd_at_the_door_of_a_database_that_is_away_hears_the_same(house: House) -> None:
    """More than the pool has room for; when the database is back, those who gave up are in nobody's way."""
    house.kill()
    try:
        with ThreadPoolExecutor(16) as crowd:
            answers = [future.result() for future in [crowd.submit(house.page) for _ in range(16)]]
        for answer in answers:
            is_page(answer, AWAY, "DB_CONNECTION_FAILED", 5)
    finally:
        house.bring_back()


@pytest.mark.parametrize(
    ("function", "sentence", "code", "wait"),
    [
        (
            "pg_cancel_backend",
            "Lockstep's own database could not carry this out. Nothing was done.",
            "SERVICE_UNAVAILABLE",
            5,
        ),
        (
            "pg_terminate_backend",
            "The connection to Lockstep's own database was lost. If this was a change, look whether it was made "
            "before you send it again.",
            "DB_CONNECTION_FAILED",
            5,
        ),
    ],
)
@pytest.mark.parametrize("ask", [House.page, House.api])
def test_what_ends_in_the_middle_says_what_is_known(
    house: House, ask: Callable[[House], Answer], function: str, sentence: str, code: str, wait: int
) -> None:
    answers: list[Answer] = []
    with stuck_requests(house, 1):
        asking = threading.Thread(target=lambda: answers.append(_until_let_in(lambda: ask(house))))
        asking.start()
        with psycopg.connect(house.server.dsn, autocommit=True) as look:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            until(lambda: look.execute(waiting).fetchone() == (2,), what="the request waits")
        end_all(house, function)
        asking.join(30)
    check = is_page if ask is House.page else is_envelope
    check(answers[0], sentence, code, wait)


@pytest.mark.parametrize("web", ["pool", "plain"])
def test_a_database_that_is_lost_in_a_crash_says_so(house: House, web: str) -> None:
    """The request was in the database when the server died."""
    answers: list[Answer] = []
    with psycopg.connect(house.server.dsn) as holder:
        holder.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        asking = threading.Thread(target=lambda: answers.append(house.page(web)))
        asking.start()
        with psycopg.connect(house.server.dsn, autocommit=True) as look:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            until(lambda: look.execute(waiting).fetchone() == (1,), what="the request waits")
        house.kill()
        asking.join(30)
        holder.close()
    try:
        assert answers[0].status == 503
        assert "The connection to Lockstep's own database was lost." in answers[0].told
    finally:
        house.bring_back()


def test_after_a_restart_nobody_gets_a_connection_that_ended_with_the_old_server(house: House) -> None:
    def crowd() -> set[int]:
        with ThreadPoolExecutor(POOL) as crowd:
            return {answer.result().status for answer in [crowd.submit(house.page) for _ in range(4 * POOL)]}

    assert crowd() == {302}
    house.kill()
    port = house.server.port
    house.server = postgres.start(house.folder, 18, fast=True)
    assert house.server.port == port
    assert crowd() == {302}


def test_a_pool_that_lacked_connections_was_not_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is back by the time it is asked: whoever waited, waited for the database."""
    failure = OperationalError("no connection")
    failure.__cause__ = PoolTimeout("…")
    monkeypatch.setattr(outage, "_takes_connections", lambda: True)
    for size, told in ((POOL - 1, outage.AWAY), (POOL, outage.EXHAUSTED)):
        pool = SimpleNamespace(max_size=POOL, get_stats=lambda size=size: {"pool_size": size})
        monkeypatch.setattr(outage, "connection", SimpleNamespace(pool=pool))
        assert outage.outage_of(failure) is told
