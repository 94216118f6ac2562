"""Asks the parsing child: one per process, started when first needed, replaced when it dies.

What kills the child is a verdict about the SQL (`unparseable`), never an outage.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.refusal import NOT_DONE

MAX_BYTES: Final = 2 << 20
LARGE: Final = 256 << 10  # after one of these the child is replaced, so that its memory goes back
SECONDS: Final = 10.0
LENGTH: Final = struct.Struct("!I")
ROOT: Final = Path(__file__).resolve().parents[3]


class ChildDied(Exception):
    """The child ended before it answered."""


_all: weakref.WeakSet[Parser] = weakref.WeakSet()


def _after_fork() -> None:
    for one in list(_all):
        one.forget()


os.register_at_fork(after_in_child=_after_fork)


class Parser:
    """A child process behind a lock; a forked process starts its own."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        _all.add(self)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def ask(self, task: str, sql: str) -> Mapping[str, Any]:
        """The child's answer, or Refused; a child that died is asked once more, afresh."""
        sql = checked(sql)
        with self._lock:
            try:
                reply = self._exchange(task, sql)
            except ChildDied:
                reply = self._second_try(task, sql)
            if len(sql) > LARGE:
                self._stop()
        return _read(reply)

    def close(self) -> None:
        with self._lock:
            self._stop()

    def forget(self) -> None:
        """In a forked process: the child belongs to the parent, so neither ask nor end it."""
        self._lock = threading.Lock()
        if self._socket:
            self._socket.close()
        if self._process:
            self._process.returncode = 0  # not ours to wait for
        self._socket = self._process = None

    def _second_try(self, task: str, sql: str) -> bytes:
        """It may have been ended from outside; only SQL that kills two children is to blame."""
        try:
            return self._exchange(task, sql)
        except ChildDied as error:
            raise Refused(
                "unparseable",
                "PostgreSQL's parser crashed on this SQL.",
                not_done=NOT_DONE,
                next_step="Look for an extremely long or deep expression and break it up.",
            ) from error

    def _exchange(self, task: str, sql: str) -> bytes:
        connection = self._connection()
        deadline = time.monotonic() + self.seconds
        body = json.dumps({"task": task, "sql": sql, "seconds": self.seconds}).encode()
        try:
            connection.settimeout(self.seconds)
            connection.sendall(LENGTH.pack(len(body)) + body)
            size = LENGTH.unpack(_receive(connection, LENGTH.size, deadline))[0]
            return _receive(connection, size, deadline)
        except TimeoutError as error:
            self._stop()
            raise Refused(
                "unparseable",
                f"The SQL could not be understood within {self.seconds:g} s.",
                not_done=NOT_DONE,
                next_step="Break the file into smaller ones.",
            ) from error
        except (ConnectionError, ChildDied) as error:
            self._stop()
            raise ChildDied from error
        except BaseException:
            self._stop()  # half an answer may be on its way; the next question must not read it
            raise

    def _connection(self) -> socket.socket:
        if self._socket and self._process and self._process.poll() is None:
            return self._socket
        self._stop()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = _start(theirs)
        self._socket = ours
        return ours

    def _stop(self) -> None:
        if self._socket:
            self._socket.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        self._socket = self._process = None


def checked(sql: str) -> str:
    """What needs no parser to be refused; a byte order mark is dropped."""
    sql = sql.removeprefix("\ufeff")
    if "\0" in sql:
        _refuse("nul_byte", f"Line {_line(sql, sql.index(chr(0)))}: there is a NUL byte.", "Remove it.")
    try:
        size = len(sql.encode())
    except UnicodeEncodeError as error:
        line = _line(sql, error.start)
        _refuse("not_unicode", f"Line {line}: half of a surrogate pair is no text.", "Save the file as UTF-8.")
    if size > MAX_BYTES:
        what = f"The file has {size:,} bytes; the most that is read is {MAX_BYTES:,}."
        _refuse("too_large", what, "Split it into several revisions; load bulk data outside of revisions.")
    return sql


def _line(sql: str, offset: int) -> int:
    return sql.count("\n", 0, offset) + 1


def _refuse(code: str, what: str, next_step: str) -> None:
    raise Refused(code, what, not_done=NOT_DONE, next_step=next_step)


def _start(theirs: socket.socket) -> subprocess.Popen[bytes]:
    """With no environment but the module path: the child needs no secret and reads no setting."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "migrations_app.engine.sql.child", str(os.getpid())],
        stdin=theirs.fileno(),
        stdout=subprocess.DEVNULL,
        env={"PYTHONPATH": path},
    )


def _receive(connection: socket.socket, size: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        part = connection.recv(min(size - len(data), 1 << 20))
        if not part:
            raise ChildDied
        data += part
    return bytes(data)


def _read(reply: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(reply)
    except RecursionError as error:
        what = "The SQL nests too deeply to be looked at in detail."
        raise Refused("unparseable", what, not_done=NOT_DONE, next_step="Break the statement up.") from error
    if "refused" in answer:
        code, message, not_done, next_step = answer["refused"]
        raise Refused(code, message, not_done=not_done, next_step=next_step)
    ok: Mapping[str, Any] = answer["ok"]
    return ok


_default = Parser()
atexit.register(_default.close)


def ask(task: str, sql: str) -> Mapping[str, Any]:
    return _default.ask(task, sql)


def close() -> None:
    """Ends this process's child; the next question starts another."""
    _default.close()
