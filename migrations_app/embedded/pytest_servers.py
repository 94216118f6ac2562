"""A pytest plugin that starts PostgreSQL 18 and Redis before Django reads its settings.

`LOCKSTEP_TEST_DATABASE_URL` and `LOCKSTEP_TEST_REDIS_URL` name servers to use instead. What it starts dies
with pytest; a killed run's folder is removed by the next one.
"""

from __future__ import annotations

import argparse
import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Generator
from functools import cache
from pathlib import Path

import pytest

from migrations_app.embedded import lockfile, postgres, redis, secret
from migrations_app.embedded.account import server_account

PREFIX = "lockstep-test-"
OLD_SECONDS = 600.0
# Good enough for settings to be read when no test will run.
PLACEHOLDERS = {
    "LOCKSTEP_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "LOCKSTEP_REDIS_URL": "redis://127.0.0.1:1/0",
}


@cache
def home() -> Path:
    """This run's folder, removed when the run ends."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        _remove_abandoned(folder)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    if server_account() is not None:
        folder.chmod(0o711)
    lock = lockfile.hold(folder / "lock", what="A test run")
    # Registered first, so it runs last: after every server has stopped.
    atexit.register(_remove, folder, lock)
    return folder


def _remove(folder: Path, lock: lockfile.Lock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()


def _remove_abandoned(folder: Path) -> None:
    try:
        old = time.time() - folder.stat().st_mtime > OLD_SECONDS and folder.stat().st_uid == os.geteuid()
        if old and not lockfile.is_held(folder / "lock"):
            shutil.rmtree(folder, ignore_errors=True)
    except FileNotFoundError:
        return


@cache
def postgres_server(major: int) -> postgres.Server:
    """The run's server of a major version, started on first use."""
    server = postgres.start(home() / f"postgres{major}", major, fast=True)
    atexit.register(server.stop)
    return server


@cache
def redis_server() -> redis.RedisServer:
    """The run's Redis, started on first use."""
    server = redis.start(home() / "redis")
    atexit.register(server.stop)
    return server


@cache
def ensure_environment() -> None:
    """Start what is needed and tell Django's settings where it is."""
    given_database = os.environ.get("LOCKSTEP_TEST_DATABASE_URL")
    given_redis = os.environ.get("LOCKSTEP_TEST_REDIS_URL")
    # A data folder of its own: the addresses of a running `manage.py up` must not reach a test.
    os.environ["LOCKSTEP_DATA_DIR"] = str(home() / "data")
    os.environ["LOCKSTEP_DATABASE_URL"] = given_database or postgres_server(18).dsn
    os.environ["LOCKSTEP_REDIS_URL"] = given_redis or redis_server().url()
    _ensure_secrets()


def _ensure_secrets() -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIALS_KEY"):
        os.environ.pop(f"LOCKSTEP_{name}_FILE", None)
    os.environ["LOCKSTEP_SECRET_KEY"] = secret.signing_key()
    os.environ["LOCKSTEP_CREDENTIALS_KEY"] = secret.credentials_key()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Come before pytest-django, which reads the settings in this hook."""
    if _runs_tests(parser.parse_known_args(args)):
        ensure_environment()
    else:
        os.environ.update(PLACEHOLDERS)
        _ensure_secrets()
    return (yield)


def _runs_tests(options: argparse.Namespace) -> bool:
    questions = ("help", "version", "collectonly", "showfixtures", "show_fixtures_per_test", "markers")
    # With pytest-xdist other processes run the tests, each with servers of its own.
    directs = getattr(options, "numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ
    return not directs and not any(getattr(options, name, False) for name in questions)
