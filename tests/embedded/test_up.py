"""`manage.py up` as a whole: real servers, gunicorn and supervisor around a small stand-in for the application."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from migrations_app.embedded import secret
from migrations_app.embedded.places import free_port
from migrations_app.embedded.postgres import Server
from migrations_app.embedded.redis import RedisServer
from tests.embedded.waiting import command_lines, is_alive, wait_until

PROJECT = Path(__file__).parents[2]
UP = """
import os, sys
from pathlib import Path
from types import SimpleNamespace
from migrations_app.management.commands import up
base = Path(sys.argv[1])
hosts = os.environ.get("LOCKSTEP_ALLOWED_HOSTS", "127.0.0.1").split(",")
up.settings = SimpleNamespace(BASE_DIR=base, LOCKSTEP_DATA_DIR=base / "data", ALLOWED_HOSTS=hosts)
up.Command().run_from_argv(["manage.py", "up", *sys.argv[2:]])
"""
MANAGE = """
import os, sys, time
command = sys.argv[1]
print(command, "sees", sorted(name for name in os.environ if name.startswith(("LOCKSTEP_", "GUNICORN_"))))
if command == "migrate":
    sys.stdout.flush()
    time.sleep(int(os.environ.get("STAND_IN_SECONDS", "0")))
    sys.exit(int(os.environ.get("STAND_IN_STATUS", "0")))
if command == "ensure_demo_users":
    print("login: admin     admin")
elif command in ("worker", "scheduler"):
    time.sleep(60)
"""
WSGI = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]
"""
PROGRAMS = ("gunicorn", "worker", "scheduler", "postgres", "redis-server")


@dataclass
class House:
    """A running `up` and what it said."""

    process: subprocess.Popen[str]
    base: Path
    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, pattern: str) -> re.Match[str]:
        wait_until(lambda: re.search(pattern, self.said) or self.process.poll() is not None, pattern)
        found = re.search(pattern, self.said)
        assert found, self.said
        return found

    def ends_with(self, signum: signal.Signals) -> int:
        self.process.send_signal(signum)
        return self.process.wait(60)

    def left(self) -> list[str]:
        """Command lines of what still runs for this folder."""
        return command_lines(str(self.base))


@pytest.fixture
def base(folder: Path) -> Path:
    """A stand-in for the project: its manage.py, its wsgi module, the real gunicorn configuration and worker."""
    (folder / "dashboard").mkdir(parents=True)
    for name in ("__init__.py", "urgent.py"):
        shutil.copy(PROJECT / "dashboard" / name, folder / "dashboard")
    (folder / "dashboard" / "wsgi.py").write_text(WSGI)
    (folder / "migrations_app").mkdir()
    shutil.copy(PROJECT / "migrations_app" / "__init__.py", folder / "migrations_app")
    shutil.copytree(PROJECT / "migrations_app" / "watchdog", folder / "migrations_app" / "watchdog")
    (folder / "deploy").mkdir()
    shutil.copy(PROJECT / "deploy" / "gunicorn.conf.py", folder / "deploy")
    (folder / "manage.py").write_text(MANAGE)
    return folder


@contextmanager
def up(base: Path, *arguments: str, port: int | None = None, extra: Mapping[str, str] | None = None) -> Iterator[House]:
    port = port or free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCKSTEP_")}
    with subprocess.Popen(
        [sys.executable, "-c", UP, str(base), "--bind", f"127.0.0.1:{port}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**environment, "LOCKSTEP_GUARD_SECONDS": "5", **(extra or {})},
        cwd=PROJECT,
    ) as process:
        house = House(process, base, port)
        reader = Thread(target=_read, args=(house,))
        reader.start()
        try:
            yield house
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(60)
            reader.join()


def _read(house: House) -> None:
    assert house.process.stdout is not None
    for line in house.process.stdout:
        house.lines.append(line.rstrip())


def fetch(house: House) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{house.port}/login", timeout=5) as answer:
        content: bytes = answer.read()
    return content


def test_it_prints_the_way_in_and_stops_without_a_trace(base: Path) -> None:
    with up(base) as house:
        house.wait_for("Ctrl-C stops everything")
        assert f"Lockstep is running at http://127.0.0.1:{house.port}" in house.said
        assert re.search(r"^    admin +admin$", house.said, re.MULTILINE)
        assert f"password  {secret.read(base / 'data' / 'first-password')}" in house.said
        assert fetch(house) == b"/login"
        assert all(any(word in line for line in house.left()) for word in PROGRAMS)
        house.wait_for(rf"watchdog +\| Watching {base}/data/run/lockstep_restart.flag")
        assert (base / "data" / "run" / "gunicorn.pid").exists()
        assert house.ends_with(signal.SIGTERM) == 0
    assert house.lines[-1].endswith("Stopped.")
    assert not house.left()
    assert not (base / "data" / "run" / "gunicorn.pid").exists()


def test_children_find_servers_and_keys_and_other_terminals_do_too(base: Path) -> None:
    with up(base) as house:
        seen = house.wait_for(r"worker-1 +\| worker sees (.*)").group(1)
        for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIALS_KEY", "DATA_DIR", "EMBEDDED_PG16_URL"):
            assert f"LOCKSTEP_{name}" in seen
        assert "LOCKSTEP_REHEARSAL_SERVERS" in seen
        assert "GUNICORN_BIND" in seen
        kept = (base / "data" / "runtime.env").read_text()
        assert "LOCKSTEP_DATABASE_URL=postgresql://lockstep:" in kept
        assert house.ends_with(signal.SIGINT) == 0
    assert not (base / "data" / "runtime.env").exists()


def test_no_secret_is_on_a_command_line_or_in_the_output(base: Path) -> None:
    files = ("secret-key", "credentials-key", "control-password", "postgres18/password", "first-password")
    with up(base) as house:
        house.wait_for("Ctrl-C stops everything")
        secrets = [secret.read(base / "data" / name) or "" for name in files]
        assert all(secrets)
        assert not [name for name, value in zip(files, secrets, strict=True) if command_lines(value)]
        assert not [name for name, value in zip(files[:-1], secrets, strict=False) if value in house.said]


def test_a_second_start_keeps_secrets_and_data(base: Path) -> None:
    kept = []
    for _ in range(2):
        with up(base, "--no-demo") as house:
            house.wait_for("Ctrl-C stops everything")
            lines = (base / "data" / "runtime.env").read_text().splitlines()
            assert lines[-1] == f"GUNICORN_BIND=127.0.0.1:{house.port}"
            kept.append(lines[:-1])
    assert kept[0] == kept[1]


def test_without_a_demonstration_there_is_no_second_postgres(base: Path) -> None:
    with up(base, "--no-demo") as house:
        house.wait_for("Ctrl-C stops everything")
        assert not (base / "data" / "postgres16").exists()


def test_given_addresses_switch_the_embedded_servers_off(base: Path, pg18: Server, redis_server: RedisServer) -> None:
    given = {"LOCKSTEP_DATABASE_URL": pg18.dsn, "LOCKSTEP_REDIS_URL": redis_server.url()}
    with up(base, "--no-demo", extra=given) as house:
        house.wait_for("Ctrl-C stops everything")
        assert not list((base / "data").glob("postgres*"))
        assert not (base / "data" / "redis").exists()
        assert pg18.password not in (base / "data" / "runtime.env").read_text()


def test_a_second_up_in_the_same_folder_is_refused_and_in_another_works(base: Path, folder: Path) -> None:
    with up(base, "--no-demo") as first:
        first.wait_for("Ctrl-C stops everything")
        with up(base, "--no-demo") as second:
            assert second.process.wait(60) == 1
        assert f"Lockstep is already running in {base / 'data'} (process {first.process.pid})." in second.said
        with up(base, "--no-demo", "--data-dir", str(folder / "other data")) as third:
            third.wait_for("Ctrl-C stops everything")
            assert fetch(first) == fetch(third) == b"/login"


def test_a_taken_address_is_told_in_one_sentence_and_nothing_runs(base: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with up(base, port=port) as house:
            assert house.process.wait(60) == 1
    assert f"GUNICORN_BIND is 127.0.0.1:{port}, and nothing can listen there" in house.said
    assert "Traceback" not in house.said
    assert not house.left()


def test_a_database_that_does_not_answer_is_told_in_one_sentence_without_its_password(base: Path) -> None:
    port = free_port()
    given = {"LOCKSTEP_DATABASE_URL": f"postgresql://lockstep:hidden-word@127.0.0.1:{port}/lockstep"}
    with up(base, "--no-demo", extra=given) as house:
        assert house.process.wait(60) == 1
    assert "LOCKSTEP_DATABASE_URL is set, and that database does not answer: connection failed" in house.said
    assert "Traceback" not in house.said
    assert "hidden-word" not in house.said
    assert not house.left()


def test_a_redis_that_does_not_answer_is_told_and_done_without(base: Path, folder: Path) -> None:
    given = {"LOCKSTEP_REDIS_URL": f"unix://{folder / 'nobody.sock'}?db=0"}
    with up(base, "--no-demo", extra=given) as house:
        house.wait_for("LOCKSTEP_REDIS_URL is set, and that Redis does not answer: Error 2 connecting to")
        house.wait_for("Ctrl-C stops everything")


def test_it_calls_its_page_by_a_name_that_is_allowed(base: Path) -> None:
    with up(base, "--no-demo", extra={"LOCKSTEP_ALLOWED_HOSTS": ".example.com"}) as house:
        house.wait_for("Ctrl-C stops everything")
        assert f"Lockstep is running at http://example.com:{house.port}" in house.said


def test_a_stop_during_the_preparation_ends_the_command_before_its_servers(base: Path) -> None:
    with up(base, "--no-demo", extra={"STAND_IN_SECONDS": "60"}) as house:
        house.wait_for("migrate +\\| migrate sees")
        assert house.ends_with(signal.SIGINT) == 0
    assert house.lines[-1].endswith("Stopped.")
    assert "had stayed behind" not in house.said
    assert not house.left()


@contextmanager
def hang_up(handler: signal.Handlers) -> Iterator[None]:
    """What a child inherits; the tests themselves may run under `nohup`."""
    before = signal.signal(signal.SIGHUP, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def test_nohup_has_its_way(base: Path) -> None:
    with hang_up(signal.SIG_IGN), up(base, "--no-demo") as house:
        house.wait_for("Ctrl-C stops everything")
        house.process.send_signal(signal.SIGHUP)
        os.kill(int((base / "data" / "redis" / "data" / "redis.pid").read_text()), signal.SIGKILL)
        house.wait_for("Redis runs again")
        assert fetch(house) == b"/login"
        assert house.ends_with(signal.SIGTERM) == 0
    assert not house.left()


def test_a_closed_terminal_stops_everything_even_without_its_signal(base: Path) -> None:
    """A `make` that leads the session keeps the hang-up to itself; here nobody leads it."""
    ours, theirs = os.openpty()
    with (
        hang_up(signal.SIG_DFL),
        subprocess.Popen(
            [sys.executable, "-c", UP, str(base), "--no-demo", "--bind", f"127.0.0.1:{free_port()}"],
            stdout=theirs,
            stderr=theirs,
            env={name: value for name, value in os.environ.items() if not name.startswith("LOCKSTEP_")},
            cwd=PROJECT,
            start_new_session=True,
        ) as process,
    ):
        try:
            os.close(theirs)
            _read_until(ours, b"Ctrl-C stops everything")
            os.close(ours)
            assert process.wait(60) == 0
        finally:
            process.terminate()
    assert not command_lines(str(base))


def _read_until(terminal: int, words: bytes) -> None:
    said = b""

    def heard() -> bool:
        nonlocal said
        if select.select([terminal], [], [], 0.1)[0]:
            said += os.read(terminal, 65536)
        return words in said

    wait_until(heard, f"{words!r} on the terminal")


def test_a_failed_preparation_stops_everything(base: Path) -> None:
    with up(base, "--no-demo", extra={"STAND_IN_STATUS": "3"}) as house:
        assert house.process.wait(60) == 1
    assert "`manage.py migrate` failed (exit status 3)" in house.said
    assert not house.left()


def test_what_dies_comes_back(base: Path) -> None:
    with up(base, "--no-demo") as house:
        house.wait_for("Ctrl-C stops everything")
        redis_pid = int((base / "data" / "redis" / "data" / "redis.pid").read_text())
        os.kill(redis_pid, signal.SIGKILL)
        house.wait_for(rf"Redis \(process {redis_pid}\) ended with signal SIGKILL; starting it again in 0.5 s")
        house.wait_for(r"Redis runs again \(process \d+\)")
        web = int(house.wait_for(r"Booting worker with pid: (\d+)").group(1))
        master = os.getsid(web)
        os.kill(master, signal.SIGKILL)
        house.wait_for(rf"web \(process {master}\) ended with signal SIGKILL")
        house.wait_for(r"web runs again")
        wait_until(lambda: _answers(house), "the page is back")


def test_the_server_for_rehearsals_comes_after_the_pages_and_again_when_it_is_lost(base: Path) -> None:
    with up(base, "--no-demo") as house:
        house.wait_for("PostgreSQL 18 for rehearsals runs \\(process")
        assert house.said.index("Ctrl-C stops everything") < house.said.index("for rehearsals runs")
        assert not (base / "data" / "rehearsal16").exists()
        kept = (base / "data" / "runtime.env").read_text()
        url = re.search("^LOCKSTEP_REHEARSAL_SERVERS=(.*)$", kept, re.MULTILINE)
        assert url
        home = base / "data" / "rehearsal18"
        pid = int((home / "data" / "postmaster.pid").read_text().split()[0])
        (home / "data" / "global" / "pg_control").write_bytes(b"lost with the machine")
        os.kill(pid, signal.SIGKILL)
        house.wait_for("It holds nothing of value: making it anew")
        house.wait_for("PostgreSQL 18 for rehearsals runs again")
        assert fetch(house) == b"/login"
        with psycopg.connect(url.group(1)) as conn:
            assert conn.info.server_version // 10000 == 18
        assert house.ends_with(signal.SIGTERM) == 0
    assert not house.left()


def test_given_servers_for_rehearsals_switch_the_embedded_one_off(base: Path, pg18: Server) -> None:
    with up(base, "--no-demo", extra={"LOCKSTEP_REHEARSAL_SERVERS": pg18.dsn}) as house:
        house.wait_for("Ctrl-C stops everything")
        assert not list((base / "data").glob("rehearsal*"))
        assert pg18.password not in (base / "data" / "runtime.env").read_text()


def _answers(house: House) -> bool:
    try:
        return fetch(house) == b"/login"
    except OSError:
        return False


def test_killing_it_leaves_nothing_and_the_next_start_works(base: Path) -> None:
    with up(base, "--no-demo") as house:
        house.wait_for("Ctrl-C stops everything")
        pid = int((base / "data" / "postgres18" / "data" / "postmaster.pid").read_text().split()[0])
        assert is_alive(pid)
        house.process.kill()
        wait_until(lambda: not house.left(), "everything follows the supervisor", seconds=40)
    assert (base / "data" / "runtime.env").exists()
    with up(base, "--no-demo") as again:
        again.wait_for("Ctrl-C stops everything")
        assert fetch(again) == b"/login"
