"""An embedded Redis server: a child of this process, on a Unix socket in a private folder and on no port."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from migrations_app.embedded import lockfile, places
from migrations_app.embedded.account import Account, open_tree, open_way, server_account
from migrations_app.embedded.cluster import last_line
from migrations_app.embedded.home import make_home
from migrations_app.embedded.leftover import stop_leftover
from migrations_app.embedded.logfile import open_log, read_from
from migrations_app.embedded.spawn import end, run_as, spawn
from migrations_app.embedded.wheels import redis_server
from migrations_app.engine.errors import Refused

START_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class RedisServer:
    """A running server."""

    home: Path
    pid: int
    socket: Path
    process: subprocess.Popen[bytes] = field(repr=False, compare=False)
    lock: lockfile.Lock = field(repr=False, compare=False)

    def url(self, db: int = 0) -> str:
        """A connection URL for redis-py."""
        return f"unix://{self.socket}?db={db}"

    def poll(self) -> int | None:
        """The exit status once the server has ended, else None."""
        return self.process.poll()

    def stop(self) -> None:
        """Write what is pending, end, and let the folder go. Safe to call twice."""
        if self.process.poll() is None:
            end(self.process, [signal.SIGTERM], patience=STOP_SECONDS)
        places.remove_short_folder(self.socket.parent)
        self.lock.release()


def start(data_dir: Path) -> RedisServer:
    """Start Redis on `data_dir`, which becomes its home (made on first use). Data survive a restart."""
    account = server_account()
    home = make_home(data_dir, account)
    lock = lockfile.hold(home / "lock", what="The embedded Redis")
    try:
        _check_runnable(account, home)
        stop_leftover(home / "data" / "redis.pid", [signal.SIGTERM])
        return _launch(home, account, lock)
    except BaseException:
        lock.release()
        raise


def _check_runnable(account: Account | None, home: Path) -> None:
    program = redis_server()
    open_way(program.parent, account)
    if run_as([str(program), "--version"], account=account, cwd=home).returncode != 0 and account is not None:
        open_tree(program.parent)
    shown = run_as([str(program), "--version"], account=account, cwd=home)
    if shown.returncode != 0:
        raise Refused(
            "redis_not_runnable",
            f"The embedded Redis does not run here: {last_line(shown.stdout)}",
            not_done="Nothing was started.",
            next_step="Set LOCKSTEP_REDIS_URL to a Redis server of your own.",
        )


def _command(data: Path, socket: Path) -> list[str]:
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "pidfile": str(data / "redis.pid"),
        # The command line stays as it is, so that a leftover can be recognised by its folder.
        "set-proc-title": "no",
        "daemonize": "no",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
    }
    words = [str(redis_server())]
    for name, value in settings.items():
        words += [f"--{name}", value]
    return words


def _launch(home: Path, account: Account | None, lock: lockfile.Lock) -> RedisServer:
    data = places.make_private(home / "data", account)
    socket = places.socket_folder(home, account) / "redis.sock"
    with open_log(home / "log") as output:
        begin = output.tell()
        process = spawn(_command(data, socket), die_with=signal.SIGTERM, account=account, cwd=data, output=output)
    try:
        _wait_until_ready(process, socket, home, begin)
    except BaseException:
        end(process, [signal.SIGTERM], patience=STOP_SECONDS)
        raise
    return RedisServer(home, process.pid, socket, process, lock)


def _wait_until_ready(process: subprocess.Popen[bytes], socket: Path, home: Path, begin: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(socket, process.pid):
            return
        time.sleep(0.02)
    raise Refused(
        "redis_did_not_start",
        f"Redis did not come up: {last_line(read_from(home / 'log', begin))}",
        not_done="It is not running.",
        next_step=f"Read {home / 'log'}.",
    )


def _answers(socket: Path, pid: int) -> bool:
    """Whether our process (not a predecessor on the same socket) answers."""
    if not socket.exists():
        return False
    client = Redis(unix_socket_path=str(socket), socket_timeout=5.0)
    try:
        return bool(client.info("server")["process_id"] == pid)
    except RedisError:
        return False
    finally:
        client.close()
