"""The servers a fault run stands on, in a folder of their own: control PostgreSQL, targets, Redis."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from migrations_app.embedded import postgres, redis, secret
from migrations_app.embedded.account import server_account
from migrations_app.embedded.databases import Owner, create_database

PREFIX = "lockstep-faults-"


class Ground:
    """Start, restart and stop from the main thread only: the kernel ties the servers to it."""

    def __init__(self, keep: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._keep = keep
        if server_account() is not None:
            self.folder.chmod(0o711)
        self.control: postgres.Server | None = None
        self.targets: dict[int, postgres.Server] = {}
        self.redis: redis.RedisServer | None = None

    def start(self) -> None:
        self.start_control()
        # Commits reach the operating system, so they survive killed processes, though not a crashed machine.
        for major in (18, 16):
            self.targets[major] = postgres.start(
                self.folder / f"target{major}", major, fast=True, settings={"max_connections": "300"}
            )
        self.start_redis()

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """What the harness itself and every worker get to know; the database is made here."""
        assert self.control is not None and self.redis is not None
        password = secret.kept(self.folder / "control-password", secret.password)
        return {
            "LOCKSTEP_DATABASE_URL": create_database(self.control.dsn, "lockstep", owner=Owner("lockstep", password)),
            "LOCKSTEP_REDIS_URL": self.redis.url(),
            "LOCKSTEP_SECRET_KEY": secret.signing_key(),
            "LOCKSTEP_CREDENTIALS_KEY": secret.credentials_key(),
            "LOCKSTEP_DATA_DIR": str(self.folder / "data"),
            "LOCKSTEP_LOG_FORMAT": "console",
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            **settings,
        }

    def start_control(self) -> None:
        self.control = postgres.start(self.folder / "control", 18, fast=True)

    def restart_control(self) -> None:
        """What `pg_ctl -m immediate restart` does."""
        assert self.control is not None
        port = self.control.port
        self.control.stop()
        self.start_control()
        if self.control.port != port:
            raise RuntimeError("somebody took the control database's port meanwhile")

    def kill_redis(self) -> None:
        if self.redis is not None:
            self.redis.process.kill()
            self.redis.process.wait()
            self.redis.stop()
            self.redis = None

    def start_redis(self, *, empty: bool = False) -> None:
        if empty:
            shutil.rmtree(self.folder / "redis" / "data", ignore_errors=True)
        self.redis = redis.start(self.folder / "redis")

    def make_database(self, major: int, name: str) -> None:
        create_database(self.targets[major].dsn, name)

    def address(self, major: int, name: str, port: int | None = None) -> str:
        """Straight to the target, or through the proxy on `port`; in plain text so that a proxy can read it."""
        parts = urlsplit(self.targets[major].url(name))
        netloc = parts.netloc if port is None else f"{parts.netloc.rpartition(':')[0]}:{port}"
        return parts._replace(netloc=netloc, query="sslmode=disable").geturl()

    def stop(self) -> None:
        for server in (*self.targets.values(), self.redis, self.control):
            if server is not None:
                server.stop()
        (self.folder / "harness.pid").unlink(missing_ok=True)  # what is kept is not abandoned
        if not self._keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def remove_abandoned() -> None:
    """Folders of harnesses that were killed: their servers died with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        running = folder / "harness.pid"
        if not running.exists():
            continue
        pid = running.read_text()
        if not Path(f"/proc/{pid}").exists() and folder.stat().st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)
