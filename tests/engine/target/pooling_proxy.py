"""A small transaction pooler: clients share server sessions between transactions, as PgBouncer lets them."""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
from collections import deque
from typing import Literal

import psycopg

from migrations_app.engine.target.dsn import Dsn

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
Order = Literal["oldest", "newest", "any"]
READY = b"Z\x00\x00\x00\x05I"


class PoolingProxy:
    """Hands a server session to who asks next: the longest idle, the latest used, or any of them."""

    def __init__(self, target: Dsn, *, sessions: int, order: Order = "oldest") -> None:
        self._servers = [psycopg.connect(target.conninfo(), autocommit=True) for _ in range(sessions)]
        self._idle = deque(socket.socket(fileno=os.dup(server.fileno())) for server in self._servers)
        for line in self._idle:
            line.setblocking(True)
        self._all = list(self._idle)
        self._order = order
        self._free = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def close(self) -> None:
        """Call when the clients are gone; ends every thread and session."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=10)
        for line in self._all:
            line.close()
        for server in self._servers:
            server.close()

    def _start(self, target: object, *arguments: object) -> None:
        assert callable(target)
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client:
            _greet(client)
            while batch := _read_batch(client):
                self._answer(client, batch)

    def _answer(self, client: socket.socket, batch: bytes) -> None:
        """One session for the batch, and for more batches while its transaction is open.

        It is given back before the client hears that it is done: what is asked next must find it there.
        """
        server = self._take()
        try:
            while batch and (ready := _relay(server, client, batch)) != READY:
                client.sendall(ready)
                batch = _read_batch(client)
        finally:
            self._give_back(server)
        if batch:
            client.sendall(ready)

    def _take(self) -> socket.socket:
        with self._free:
            self._free.wait_for(lambda: self._idle, timeout=10)
            if self._order == "any":
                self._idle.rotate(random.randrange(len(self._idle)))
            return self._idle.pop() if self._order == "newest" else self._idle.popleft()

    def _give_back(self, server: socket.socket) -> None:
        with self._free:
            self._idle.append(server)
            self._free.notify()


def _greet(client: socket.socket) -> None:
    """Refuse encryption, ask for no password, and claim to be a server."""
    while True:
        length, code = struct.unpack("!II", _exactly(client, 8))
        _exactly(client, length - 8)
        if code not in (SSL_REQUEST, GSS_REQUEST):
            break
        client.sendall(b"N")
    told = b"".join(
        _message(b"S", name + b"\0" + value + b"\0")
        for name, value in ((b"server_version", b"18.0"), (b"client_encoding", b"UTF8"))
    )
    key = _message(b"K", struct.pack("!II", 1, 1))
    client.sendall(_message(b"R", struct.pack("!I", 0)) + told + key + READY)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _read_message(line: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(line, 5)
    if not head:
        return b"", b""
    return head[:1], head + _exactly(line, struct.unpack("!I", head[1:])[0] - 4)


def _read_batch(client: socket.socket) -> bytes:
    """Messages up to the one that the server answers with ReadyForQuery; empty when the client is gone."""
    batch = b""
    while True:
        kind, message = _read_message(client)
        if kind in (b"", b"X"):
            return b""
        batch += message
        if kind in (b"Q", b"S"):
            return batch


def _relay(server: socket.socket, client: socket.socket, batch: bytes) -> bytes:
    """Pass on all that is answered but its last message, ReadyForQuery, which is returned."""
    server.sendall(batch)
    while True:
        kind, message = _read_message(server)
        if kind == b"Z":
            return message
        client.sendall(message)


def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = line.recv(size - len(data))
        if not more:
            return b""
        data += more
    return data
