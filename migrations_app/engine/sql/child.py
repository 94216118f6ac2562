"""The process that parses SQL: `python -m migrations_app.engine.sql.child`, a socket on its standard input.

SQL can kill the parser (a long enough chain of operators overflows its stack), so the parser lives alone.
A request is a length and JSON `{task, sql, seconds}`, an answer a length and JSON `{ok}` or `{refused}`.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable

from migrations_app.engine.errors import Refused
from migrations_app.engine.sql import reading
from migrations_app.engine.sql.refusal import NOT_DONE
from migrations_app.engine.sql.script import script_to_json, statement_to_json

LENGTH = struct.Struct("!I")
MEMORY = 1 << 30
STACK = 64 << 20
RECURSION = 100_000  # json.loads recurses once per level of the tree; STACK has room for it
ORPHAN_CHECK = 2.0


def _script(sql: str) -> dict[str, object]:
    return script_to_json(reading.script(sql))


def _verify(sql: str) -> dict[str, object]:
    return {"statements": [statement_to_json(statement) for statement in reading.verify(sql)]}


def _trees(sql: str) -> dict[str, object]:
    return {"pieces": [vars(piece) for piece in reading.pieces_of(sql)]}


TASKS: dict[str, Callable[[str], dict[str, object]]] = {"script": _script, "verify": _verify, "trees": _trees}


def answer(request: dict[str, object]) -> dict[str, object]:
    try:
        return {"ok": TASKS[str(request["task"])](str(request["sql"]))}
    except Refused as error:
        parts = (error.code, error.message, error.not_done, error.next_step)
        return {"refused": parts}
    except (MemoryError, RecursionError):
        sentence = "The SQL is too large or nests too deeply to be understood."
        return {"refused": ("unparseable", sentence, NOT_DONE, "Break it into smaller files.")}


def serve(connection: socket.socket, parent: int) -> None:
    """Ends when the parent closes its side, or is no longer the parent."""
    while _wait(connection, parent):
        request = _receive(connection)
        if request is None:
            return
        # The parent kills a child that takes too long; the alarm does when the parent is gone.
        signal.setitimer(signal.ITIMER_REAL, float(str(request["seconds"])) + 1)
        reply = json.dumps(answer(request)).encode()
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.sendall(LENGTH.pack(len(reply)) + reply)


def _wait(connection: socket.socket, parent: int) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    while os.getppid() == parent:
        if poll.poll(ORPHAN_CHECK * 1000):
            return True
    return False


def _receive(connection: socket.socket) -> dict[str, object] | None:
    head = _read(connection, LENGTH.size)
    if head is None:
        return None
    body = _read(connection, LENGTH.unpack(head)[0])
    request = json.loads(body) if body is not None else None
    return request if isinstance(request, dict) else None


def _read(connection: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            return None
        data += part
    return bytes(data)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent; it closes the socket
    sys.setrecursionlimit(RECURSION)
    threading.stack_size(STACK)


def main() -> None:
    _limit()
    gc.disable()  # a parse tree has no cycles, and collecting while it grows takes most of the time
    connection = socket.socket(fileno=os.dup(0))
    thread = threading.Thread(target=serve, args=(connection, int(sys.argv[1])))
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
