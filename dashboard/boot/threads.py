"""gunicorn's threads, and beside them a few that answer the boot gate alone: it is asked when everything else waits.

Which of the two a request is for shows in its first bytes, so a connection is given to a thread only when it has said
something. gunicorn's master reads this before there is a Django.
"""

from __future__ import annotations

import errno
import selectors
import socket
import ssl
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from gunicorn.workers.gthread import DEFAULT_WORKER_DATA_TIMEOUT, TConn, ThreadWorker  # type: ignore[import-untyped]

GATE = b"GET /api/v1/boot-gate?"
THREADS = 2  # as many as the gate has connections
_NOTHING = (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK)


class GateThreads(ThreadWorker):  # type: ignore[misc]
    def init_process(self) -> None:
        self.gate_pool = ThreadPoolExecutor(THREADS, "boot-gate")
        super().init_process()

    def run(self) -> None:
        try:
            super().run()
        finally:
            self.gate_pool.shutdown(wait=False)

    def accept(self, listener: socket.socket) -> None:
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in _NOTHING:
                raise
            return
        self.nr_conns += 1
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.timeout = time.monotonic() + DEFAULT_WORKER_DATA_TIMEOUT + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(client, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def enqueue_req(self, conn: TConn) -> None:
        pool = self.gate_pool if asks_the_gate(conn.sock) else self.tpool
        future: Future[object] = pool.submit(self.handle, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def _cap_keepalive(self, deadline: float) -> None:
        """A stopping worker does not wait for those who have said nothing either."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)


def asks_the_gate(sock: socket.socket) -> bool:
    """By what has arrived; what is encrypted or comes in pieces is answered like anything else."""
    if isinstance(sock, ssl.SSLSocket):
        return False
    try:
        return sock.recv(len(GATE), socket.MSG_PEEK | socket.MSG_DONTWAIT) == GATE
    except OSError:
        return False
