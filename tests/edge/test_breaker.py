"""The circuit breaker before the pool of a web process: what counts, what is asked meanwhile, and who tries again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError
from psycopg_pool import PoolTimeout

from dashboard.boot import pool
from dashboard.outage import AWAY, LOST, OTHER, SILENT, SLOW, Outage, outage_of
from dashboard.pooled.base import DatabaseWrapper
from migrations_app.health import breaker as room
from migrations_app.health.breaker import Breaker, BreakerOpen, BreakerRules, breaker
from tests.edge.pools import pooled, wrapper
from tests.waiting import until

pytestmark = pytest.mark.django_db  # the settings of a connection of Django's are looked at

FEW = {"min_size": 1, "max_size": 2, "timeout": 0.3, "reconnect_timeout": 0.1}
THREADS = 12


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Of this process's breaker, for which nobody then has to wait."""
    made = Clock()
    monkeypatch.setattr(room._kept, "breaker", Breaker(BreakerRules(), clock=made))
    return made


@pytest.fixture
def address(target_database: Callable[[], str]) -> str:
    return target_database()


class Deaf:
    """Takes connections, counts them and says nothing."""

    def __init__(self) -> None:
        self.heard = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"postgresql://nobody@127.0.0.1:{self._listener.getsockname()[1]}/nothing"
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                self._listener.accept()[0].close()
                self.heard += 1

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@pytest.fixture
def deaf() -> Iterator[Deaf]:
    made = Deaf()
    yield made
    made.close()


def ask(connection: DatabaseWrapper, statement: str = "SELECT 1") -> None:
    """As one request does, which hands its connection back at its end."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def refused(connection: DatabaseWrapper) -> OperationalError:
    with pytest.raises(OperationalError) as caught:
        ask(connection)
    return caught.value


def open_it() -> None:
    for _ in range(5):
        breaker().failed(breaker().enter())


def counted() -> tuple[int, int]:
    state = breaker().state()
    return state.failure_count, state.total_count


def crowd(address: str) -> list[type[BaseException | None]]:
    """What becomes of so many requests that come together."""
    together = threading.Barrier(THREADS)

    def come(_: int) -> type[BaseException | None]:
        mine = wrapper(address, pool=FEW)
        together.wait(10)
        try:
            ask(mine)
        except OperationalError as failure:
            return type(failure.__cause__)
        return type(None)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(come, range(THREADS)))


def test_what_goes_well_counts_once_for_each_connection(address: str) -> None:
    with pooled(address) as connection:
        with connection.cursor() as cursor:
            for _ in range(3):
                cursor.execute("SELECT 1")
        connection.close()
        ask(connection)
    assert counted() == (0, 2)


def take_too_long(connection: DatabaseWrapper, address: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '50ms'; SELECT pg_sleep(60)")


def say_nothing(connection: DatabaseWrapper, address: str) -> None:
    with connection.cursor() as cursor:
        connection.connection.patience_s = 0.2
        cursor.execute("SELECT pg_sleep(60)")


def end(connection: DatabaseWrapper, address: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def wait_for_lock(connection: DatabaseWrapper, address: str) -> None:
    with psycopg.connect(address) as other, connection.cursor() as cursor:
        other.execute("SELECT pg_advisory_xact_lock(1)")
        cursor.execute("SET lock_timeout = '50ms'; SELECT pg_advisory_lock(1)")


def cancel(connection: DatabaseWrapper, address: str) -> None:
    with connection.cursor() as cursor, psycopg.connect(address, autocommit=True) as other:
        pid = connection.connection.info.backend_pid
        sleeps = "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = %s"

        def once_it_sleeps() -> None:
            until(lambda: other.execute(sleeps, [pid]).fetchone() == (True,), what="the statement runs")
            other.execute("SELECT pg_cancel_backend(%s)", [pid])

        with ThreadPoolExecutor(1) as helper:
            helper.submit(once_it_sleeps)
            cursor.execute("SELECT pg_sleep(60)")


@pytest.mark.parametrize(
    ("goes_wrong", "outage", "failures"),
    [
        (take_too_long, SLOW, 1),
        (say_nothing, SILENT, 1),
        (end, LOST, 1),
        (wait_for_lock, OTHER, 0),
        (cancel, OTHER, 0),
    ],
)
def test_what_counts_as_a_failure(
    address: str, goes_wrong: Callable[[DatabaseWrapper, str], None], outage: Outage, failures: int
) -> None:
    with pooled(address) as connection:
        with pytest.raises(OperationalError) as caught:
            goes_wrong(connection, address)
        connection.close()
    assert outage_of(caught.value) == outage
    assert counted() == (failures, 1)


def test_what_the_database_refuses_is_no_failure(address: str) -> None:
    with pooled(address) as connection:
        for _ in range(6):
            with pytest.raises(IntegrityError):
                ask(connection, "DO $$ BEGIN RAISE unique_violation; END $$")
    assert counted() == (0, 6)


def test_five_that_get_no_connection_open_it_and_then_nobody_asks(
    deaf: Deaf, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the pool's own threads either, once they have given up."""
    with pooled(deaf.address, pool=FEW) as connection:
        monkeypatch.setattr("dashboard.outage.connection", connection)
        for number in range(1, 6):
            assert outage_of(refused(connection)) == AWAY
            assert counted() == (number, number)
        until(lambda: connection.pool.get_stats()["pool_size"] == 0, what="the pool has given up")
        heard = deaf.heard
        assert heard > 5
        assert crowd(deaf.address) == [BreakerOpen] * THREADS
        assert deaf.heard == heard


def test_while_it_is_open_the_pool_is_not_even_opened(deaf: Deaf, clock: Clock) -> None:
    open_it()
    with pooled(deaf.address, pool=FEW) as connection:
        for _ in range(200):
            told = outage_of(refused(connection))
            assert told is not None
            assert (told.status, told.code, told.retry_after) == (503, "CIRCUIT_BREAKER_OPEN", 30)
        assert connection.pool.closed
    assert deaf.heard == 0


def test_one_of_many_tries_and_a_failure_opens_it_again(deaf: Deaf, clock: Clock) -> None:
    open_it()
    clock.now += 30
    with pooled(deaf.address, pool=FEW):
        met = crowd(deaf.address)
    assert (met.count(PoolTimeout), met.count(BreakerOpen)) == (1, THREADS - 1)
    assert breaker().state().state == "OPEN"


def test_one_tries_and_its_success_lets_everybody_in(address: str, clock: Clock) -> None:
    open_it()
    clock.now += 29.9
    with pooled(address) as connection, pooled(address) as other:
        told = outage_of(refused(other))
        clock.now += 0.1
        with connection.cursor() as trial:
            trial.execute("SELECT 1")
            meanwhile = outage_of(refused(other))
        assert told == meanwhile and told is not None and told.retry_after == 1
        connection.close()
        assert counted() == (0, 0)
        ask(other)
    assert counted() == (0, 1)


def test_the_boot_gate_is_never_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "BOOT_GATE_POOL", 1)
    open_it()
    try:
        assert pool.ask("SELECT 1", {}) == (1,)
    finally:
        pool.close()
