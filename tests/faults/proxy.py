"""A TCP proxy in front of one target that can drop a session at its COMMIT, with or without its effect."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
import time
from dataclasses import dataclass

MODES = ("reply lost", "cut at once", "not sent")


@dataclass
class Cut:
    """Drop the next session called `application…` at its COMMIT; `at` is when that happened."""

    application: str
    mode: str
    at: float = 0.0


class Proxy:
    """Listens on a port of its own; every session of a run passes through it."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._armed: Cut | None = None
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def arm(self, cut: Cut | None) -> None:
        self._armed = cut

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        down = asyncio.ensure_future(_relay(up_reader, writer))
        try:
            await self._forward(reader, writer, up_writer, up_reader, down)
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            pass
        finally:
            down.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await down
            up_writer.close()
            writer.close()

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        down: asyncio.Future[None],
    ) -> None:
        """Whole messages, so that COMMIT is seen; the first has no type byte."""
        head = await reader.readexactly(4)
        rest = await reader.readexactly(struct.unpack("!I", head)[0] - 4)
        up.write(head + rest)
        application = _application(rest)
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
            cut = self._armed
            if cut and body.endswith(b"COMMIT\x00") and application.startswith(cut.application):
                self._armed = None
                await _drop(cut, head + body, writer, up, answers, down)
                return
            up.write(head + body)
            await up.drain()


async def _drop(
    cut: Cut,
    message: bytes,
    writer: asyncio.StreamWriter,
    up: asyncio.StreamWriter,
    answers: asyncio.StreamReader,
    down: asyncio.Future[None],
) -> None:
    down.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await down
    if cut.mode != "not sent":
        up.write(message)
        await up.drain()
    if cut.mode == "reply lost":
        await answers.read(1)
    cut.at = time.monotonic()
    writer.transport.abort()
    up.transport.abort()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def _application(startup: bytes) -> str:
    words = startup[4:].split(b"\x00")
    named = dict(zip(words[::2], words[1::2], strict=False))
    return named.get(b"application_name", b"").decode()


class Proxies:
    """All proxies of a run on one thread with one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()
        self._all: list[Proxy] = []

    def add(self, host: str, port: int) -> Proxy:
        proxy = Proxy(host, port)
        asyncio.run_coroutine_threadsafe(proxy.start(), self._loop).result(10)
        self._all.append(proxy)
        return proxy

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        for proxy in self._all:
            proxy.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
