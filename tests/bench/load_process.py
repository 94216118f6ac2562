"""Requests at a constant rate, from a process of their own: a plan as JSON on standard input, what was found on
standard output. Open loop: a request is due by the clock however slow the answers are, and its time counts from
when it was due, so that a server that stalls cannot hide it by being asked less. A rate of 0 asks for the most that
the server can answer: a few at a time, each asking again when it is answered.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\n(connection: *close|transfer-encoding: *chunked)", re.IGNORECASE)
_READY = 16  # connections that are open before the first request
_MOST = 512  # above them a request waits, and its waiting counts
_TRIES = 3
_AT_ONCE = 8  # as many as the server has threads


@dataclass(frozen=True)
class Target:
    """A whole request as bytes, and the status it should be answered with."""

    request: bytes
    status: int


@dataclass(frozen=True)
class Plan:
    host: str
    port: int
    rate: float
    warm_s: float
    seconds: float
    patience_s: float
    targets: list[Target]


@dataclass
class Found:
    took_ms: list[tuple[int, float]] = field(default_factory=list)  # which target, and its time
    errors: Counter[str] = field(default_factory=Counter)
    late_ms: list[float] = field(default_factory=list)  # how late this process itself was
    last_at: float = 0.0


class Closed(Exception):
    """The server closed a connection before it said a byte: the request was not looked at."""


class Connection(asyncio.Protocol):
    """Keep-alive HTTP/1.1, one request at a time; bodies are counted, never decoded."""

    def __init__(self) -> None:
        self.usable = True
        self._transport: asyncio.Transport | None = None
        self._said = bytearray()
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._said += data
        head = self._said.find(b"\r\n\r\n")
        if head < 0 or self._answer is None:
            return
        length = _LENGTH.search(self._said, 0, head)
        status = int(self._said[9:12])
        if _CLOSES.search(self._said, 0, head) and not length and status not in (204, 304):
            return  # it ends with the connection
        if len(self._said) >= head + 4 + (int(length[1]) if length else 0):
            self.usable = not _CLOSES.search(self._said, 0, head)
            self._end(status)

    def connection_lost(self, error: Exception | None) -> None:
        self.usable = False
        if self._answer is None or self._answer.done():
            return
        if self._said:
            self._end(int(self._said[9:12]))
        else:
            self._answer.set_exception(Closed())

    async def ask(self, request: bytes) -> int:
        assert self._transport is not None
        self._said.clear()
        self._answer = asyncio.get_running_loop().create_future()
        if not self.usable:
            raise Closed
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _end(self, status: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)


class Pool:
    """Connections in turn, so that no process of the server is favoured."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._idle: deque[Connection] = deque()
        self._room = asyncio.Semaphore(_MOST)

    async def open(self) -> None:
        self._idle.extend([await self._new() for _ in range(_READY)])

    async def ask(self, request: bytes) -> int:
        async with self._room:
            for _ in range(_TRIES):
                connection = self._take() or await self._new()
                try:
                    return await connection.ask(request)
                except Closed:
                    connection.usable = False
                except asyncio.CancelledError:  # its answer would come to somebody else
                    connection.usable = False
                    raise
                finally:
                    self._give(connection)
        raise Closed

    def close(self) -> None:
        for connection in self._idle:
            connection.close()

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.popleft()
            if connection.usable:
                return connection
        return None

    def _give(self, connection: Connection) -> None:
        if connection.usable:
            self._idle.append(connection)
        else:
            connection.close()

    async def _new(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, self._plan.host, self._plan.port)
        return connection


async def run(plan: Plan) -> Found:
    found, pool = Found(), Pool(plan)
    await pool.open()
    begin = time.perf_counter() + 0.05
    measured_from = begin + plan.warm_s
    if plan.rate:
        await _by_the_clock(plan, pool, found, begin, measured_from)
    else:
        await asyncio.gather(*(_again_and_again(plan, pool, found, start, measured_from) for start in range(_AT_ONCE)))
    pool.close()
    found.last_at -= measured_from
    return found


async def _by_the_clock(plan: Plan, pool: Pool, found: Found, begin: float, measured_from: float) -> None:
    asked = []
    for number in range(round(plan.rate * (plan.warm_s + plan.seconds))):
        due = begin + number / plan.rate
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        which = number % len(plan.targets)
        asked.append(asyncio.create_task(_one(plan, pool, found, which, due, measured_from)))
    await asyncio.gather(*asked)


async def _again_and_again(plan: Plan, pool: Pool, found: Found, start: int, measured_from: float) -> None:
    which = start
    while (now := time.perf_counter()) < measured_from + plan.seconds:
        await _one(plan, pool, found, which % len(plan.targets), now, measured_from)
        which += _AT_ONCE + 1  # so that each of them comes round to every target


async def _one(plan: Plan, pool: Pool, found: Found, which: int, due: float, measured_from: float) -> None:
    late = time.perf_counter() - due
    target = plan.targets[which]
    wrong = ""
    try:
        async with asyncio.timeout(plan.patience_s):
            status = await pool.ask(target.request)
        wrong = "" if status == target.status else f"status {status}"
    except TimeoutError:
        wrong = f"no answer in {plan.patience_s:.0f} s"
    except (OSError, Closed) as error:
        wrong = type(error).__name__
    if due < measured_from:
        return
    now = time.perf_counter()
    found.last_at = max(found.last_at, now)
    found.late_ms.append(late * 1e3)
    found.took_ms.append((which, (now - due) * 1e3))
    if wrong:
        found.errors[wrong] += 1


def main() -> None:
    given = json.load(sys.stdin)
    targets = [Target(one["request"].encode("latin-1"), one["status"]) for one in given.pop("targets")]
    gc.disable()
    found = asyncio.run(run(Plan(**given, targets=targets)))
    json.dump(
        {
            "took_ms": found.took_ms,
            "errors": found.errors,
            "late_ms": found.late_ms,
            "seconds": found.last_at,
            "own_cpu_s": time.process_time(),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
