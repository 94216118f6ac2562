"""An embedded PostgreSQL server: a child of this process on a Unix socket and a free loopback port.

Every connection needs a password, on the socket too; the superuser's is kept in `HOME/password` (0600).
"""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from migrations_app.embedded import lockfile, places, secret
from migrations_app.embedded.account import Account, open_way, server_account
from migrations_app.embedded.cluster import SUPERUSER, ensure_cluster, last_line, settle_stale_pid
from migrations_app.embedded.home import make_home
from migrations_app.embedded.leftover import recorded_pid, stop_leftover
from migrations_app.embedded.logfile import open_log, read_from
from migrations_app.embedded.spawn import end, spawn
from migrations_app.embedded.wheels import postgres_bin
from migrations_app.engine.errors import Refused

START_SECONDS = 180.0
STOP_SECONDS = 20.0
BIND_TRIES = 5
FAST_SHUTDOWN, IMMEDIATE_SHUTDOWN = signal.SIGINT, signal.SIGQUIT
log = logging.getLogger(__name__)

MODEST = {
    "max_connections": "200",
    "shared_buffers": "128MB",
    "listen_addresses": places.LOOPBACK,
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # A failed statement may hold a password; its text stays out of the log.
    "log_min_error_statement": "panic",
}
# Commits still reach the operating system, so they survive a killed server, but not a crashed machine.
FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


@dataclass(frozen=True)
class Server:
    """A running server."""

    major: int
    home: Path
    pid: int
    socket_dir: Path
    port: int
    password: str = field(repr=False)
    fast: bool = field(repr=False)
    process: subprocess.Popen[bytes] = field(repr=False, compare=False)
    lock: lockfile.Lock = field(repr=False, compare=False)

    @property
    def bin_dir(self) -> Path:
        """The folder with `psql`, `pg_dump` and the other programs of this version."""
        return postgres_bin(self.major)

    @property
    def dsn(self) -> str:
        """The superuser's URL of the database `postgres`."""
        return self.url("postgres")

    def url(self, database: str, user: str = SUPERUSER, password: str | None = None, *, socket: bool = False) -> str:
        """A connection URL over TCP, or over the Unix socket."""
        secret_part = quote(self.password if password is None else password, safe="")
        who = f"{quote(user, safe='')}:{secret_part}"
        if not socket:
            return f"postgresql://{who}@{places.LOOPBACK}:{self.port}/{quote(database, safe='')}"
        where = urlencode({"host": str(self.socket_dir), "port": self.port})
        return f"postgresql://{who}@/{quote(database, safe='')}?{where}"

    def poll(self) -> int | None:
        """The exit status once the server has ended, else None."""
        return self.process.poll()

    def stop(self) -> None:
        """Shut down, give the connections no grace, and let the folder go. Safe to call twice."""
        if self.poll() is None:
            first = IMMEDIATE_SHUTDOWN if self.fast else FAST_SHUTDOWN
            end(self.process, [first, IMMEDIATE_SHUTDOWN], patience=STOP_SECONDS)
        places.remove_short_folder(self.socket_dir)
        self.lock.release()


def start(data_dir: Path, major: int, *, fast: bool = False, settings: Mapping[str, str] | None = None) -> Server:
    """Start PostgreSQL `major` on `data_dir`, which becomes its home (made on first use).

    1. Take the folder's lock. 2. Stop what a crashed start left behind. 3. Make the cluster if it is new.
    4. Start on the port of last time if that is free. `fast` trades durability for speed: for what may be lost.
    """
    account = server_account()
    home = make_home(data_dir, account)
    lock = lockfile.hold(home / "lock", what=f"The embedded PostgreSQL {major}")
    try:
        open_way(postgres_bin(major), account)
        stop_leftover(home / "data" / "postmaster.pid", [FAST_SHUTDOWN, IMMEDIATE_SHUTDOWN])
        data = ensure_cluster(home, major, account, fast=fast)
        settle_stale_pid(data)
        return _launch(_Plan(home, data, major, account, fast, settings or {}), lock)
    except BaseException:
        lock.release()
        raise


def address(data_dir: Path) -> str:
    """The superuser's URL of a server that will be started on `data_dir` later, its port chosen and kept now."""
    home = make_home(data_dir, server_account())
    port = _preferred_port(home)
    secret.write(home / "port", str(port))
    password = quote(secret.kept(home / "password", secret.password), safe="")
    return f"postgresql://{SUPERUSER}:{password}@{places.LOOPBACK}:{port}/postgres"


@dataclass(frozen=True)
class _Plan:
    home: Path
    data: Path
    major: int
    account: Account | None
    fast: bool
    settings: Mapping[str, str]

    def command(self, socket_dir: Path, port: int) -> list[str]:
        """The server's command line; no secret is on it."""
        chosen = {**MODEST, **(FAST if self.fast else {}), **self.settings}
        chosen |= {"port": str(port), "unix_socket_directories": str(socket_dir)}
        words = [str(postgres_bin(self.major) / "postgres"), "-D", str(self.data)]
        for name, value in chosen.items():
            words += ["-c", f"{name}={value}"]
        return words


def _launch(plan: _Plan, lock: lockfile.Lock) -> Server:
    socket_dir = places.socket_folder(plan.home, plan.account)
    places.clear_sockets(socket_dir, ".s.PGSQL.*")
    port = _preferred_port(plan.home)
    for _ in range(BIND_TRIES):
        process, said = _attempt(plan, socket_dir, port)
        if process is not None:
            secret.write(plan.home / "port", str(port))
            password = secret.kept(plan.home / "password", secret.password)
            return Server(plan.major, plan.home, process.pid, socket_dir, port, password, plan.fast, process, lock)
        if "could not bind" in said or "Address already in use" in said:
            port = places.free_port()
        elif "shared memory block" not in said:
            break
        else:
            time.sleep(1.0)  # Backends of the killed predecessor are just noticing that it is gone.
    raise Refused(
        "postgres_did_not_start",
        f"PostgreSQL {plan.major} ended while starting: {_reason(said).rstrip('.')}.",
        not_done="It is not running.",
        next_step=f"Read {plan.home / 'log'}.",
    )


def _reason(said: str) -> str:
    fatal = [line for line in said.splitlines() if "FATAL" in line or "PANIC" in line]
    return last_line(fatal[-1].partition("] ")[2] or fatal[-1] if fatal else said)


def _preferred_port(home: Path) -> int:
    kept = secret.read(home / "port") or ""
    if kept.isdigit() and places.is_free(int(kept)):
        return int(kept)
    return places.free_port()


def _attempt(plan: _Plan, socket_dir: Path, port: int) -> tuple[subprocess.Popen[bytes] | None, str]:
    """The process once it is ready; or None and what it said before it ended."""
    with open_log(plan.home / "log") as output:
        begin = output.tell()
        process = spawn(
            plan.command(socket_dir, port),
            die_with=IMMEDIATE_SHUTDOWN if plan.fast else FAST_SHUTDOWN,
            account=plan.account,
            cwd=plan.home,
            output=output,
        )
    try:
        if _wait_until_ready(process, plan.data):
            return process, ""
    except BaseException:
        end(process, [IMMEDIATE_SHUTDOWN], patience=STOP_SECONDS)
        raise
    return None, read_from(plan.home / "log", begin)


def _wait_until_ready(process: subprocess.Popen[bytes], data: Path) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None:
        if _is_ready(process.pid, data / "postmaster.pid"):
            return True
        if time.monotonic() > deadline:
            raise Refused(
                "postgres_not_ready",
                f"PostgreSQL was not ready within {START_SECONDS:.0f} seconds.",
                not_done="It was stopped again.",
                next_step=f"Read {data.parent / 'log'}: a long crash recovery may need another try.",
            )
        time.sleep(0.02)
    return False


def _is_ready(pid: int, pid_file: Path) -> bool:
    if recorded_pid(pid_file) != pid:
        return False
    lines = pid_file.read_text().splitlines()
    return len(lines) >= 8 and lines[7].strip() == "ready"
