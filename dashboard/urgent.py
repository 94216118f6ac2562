"""gunicorn's threads, and beside them a few for what is asked when everything else waits: the boot gate and health.

What a request is for shows in its first bytes, so a connection is given to a thread only when it has said something,
and to an urgent one only when its whole head is there. gunicorn's master reads this before there is a Django.
"""

from __future__ import annotations

import errno
import selectors
import signal
import socket
import ssl
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import FrameType

from gunicorn.http.message import Request  # type: ignore[import-untyped]
from gunicorn.workers.gthread import DEFAULT_WORKER_DATA_TIMEOUT, TConn, ThreadWorker  # type: ignore[import-untyped]

GATE, HEALTH = "boot-gate", "health"
# How many each has: the gate as many as it has connections.
THREADS = {GATE: 2, HEALTH: 2}
_ENDS = b" ?/"
_PATHS = {
    b"/api/v1/boot-gate": GATE,
    b"/health": HEALTH,
    b"/livez": HEALTH,
    b"/readyz": HEALTH,
    b"/admin/api/system-status": HEALTH,
}
STARTS = {
    method + path + _ENDS[end : end + 1]: whose
    for method in (b"GET ", b"HEAD ")
    for path, whose in _PATHS.items()
    for end in range(len(_ENDS))
}
HEAD_ENDS = b"\r\n\r\n"
LONGEST = 16 * 1024  # of a head that is looked at
HEAD_S = 5.0  # for more of a head that has begun
_NOTHING = (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK)


@dataclass
class _Process:
    """Not an Event: its lock is not for signal handlers."""

    stopping: bool = False


process = _Process()


class _Conn(TConn):  # type: ignore[misc]
    def init(self) -> None:
        """gunicorn has just made the socket wait for ever."""
        super().init()
        self.sock.settimeout(HEAD_S)


class UrgentThreads(ThreadWorker):  # type: ignore[misc]
    def init_process(self) -> None:
        self.urgent = {whose: ThreadPoolExecutor(count, whose) for whose, count in THREADS.items()}
        super().init_process()

    def run(self) -> None:
        try:
            super().run()
        finally:
            for pool in self.urgent.values():
                pool.shutdown(wait=False)

    def handle_exit(self, sig: signal.Signals, frame: FrameType | None) -> None:
        process.stopping = True
        super().handle_exit(sig, frame)

    def accept(self, listener: socket.socket) -> None:
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in _NOTHING:
                raise
            return
        self.nr_conns += 1
        conn = _Conn(self.cfg, client, address, listener.getsockname())
        conn.timeout = time.monotonic() + DEFAULT_WORKER_DATA_TIMEOUT + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(client, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def enqueue_req(self, conn: TConn) -> None:
        pool: ThreadPoolExecutor = self.urgent.get(asked_of(conn.sock)) or self.tpool
        future: Future[object] = pool.submit(self.handle, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def handle_request(self, req: Request, conn: TConn) -> bool:
        """The head has been read: a body may take its time."""
        conn.sock.setblocking(True)
        return bool(super().handle_request(req, conn))

    def _cap_keepalive(self, deadline: float) -> None:
        """A stopping worker does not wait for those who have said nothing either."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)


def asked_of(sock: socket.socket) -> str:
    """By what has arrived; what is encrypted or comes in pieces is answered like anything else.

    A few who sent a beginning and nothing more would keep all urgent threads waiting.
    """
    if isinstance(sock, ssl.SSLSocket):
        return ""
    try:
        seen = sock.recv(LONGEST, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return ""
    if HEAD_ENDS not in seen:
        return ""
    return next((whose for start, whose in STARTS.items() if seen.startswith(start)), "")
