"""Embedded PostgreSQL: what a start does with every state a crash or a person may leave behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from migrations_app.embedded import postgres
from migrations_app.embedded.account import server_account
from migrations_app.embedded.postgres import Server
from migrations_app.embedded.wheels import postgres_bin
from migrations_app.engine.errors import Refused
from tests.embedded.waiting import command_lines, is_alive, wait_until

STAY = """
import sys, time
from pathlib import Path
from migrations_app.embedded import postgres
server = postgres.start(Path(sys.argv[1]), 18, fast=True)
print(server.pid, flush=True)
time.sleep(60)
"""


@contextmanager
def running(home: Path, major: int = 18) -> Iterator[Server]:
    server = postgres.start(home, major, fast=True)
    try:
        yield server
    finally:
        server.stop()


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("major", [18, 16])
def test_it_starts_both_majors_with_vectors_and_tools(major: int, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(f"pg{major}")
    assert int(str(ask(server.dsn, "SHOW server_version_num"))) // 10_000 == major
    assert ask(server.dsn, "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'") == 1
    assert (server.bin_dir / "pg_dump").exists()


def test_it_answers_on_the_socket_too_and_asks_for_the_password_there(pg18: Server) -> None:
    assert ask(pg18.url("postgres", socket=True), "SELECT 1") == 1
    for socket_wanted in (True, False):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(pg18.url("postgres", password="wrong", socket=socket_wanted))


def test_it_listens_on_loopback_alone(pg18: Server) -> None:
    assert ask(pg18.dsn, "SHOW listen_addresses") == "127.0.0.1"


def test_it_keeps_the_password_out_of_repr_and_process_list(pg18: Server) -> None:
    assert pg18.password not in repr(pg18)
    assert not command_lines(pg18.password)
    assert stat.S_IMODE((pg18.home / "password").stat().st_mode) == 0o600


def test_it_never_runs_as_root(pg18: Server) -> None:
    owner = Path(f"/proc/{pg18.pid}").stat().st_uid
    account = server_account()
    assert owner == (account.uid if account else os.geteuid())
    assert owner != 0


def test_data_password_and_port_survive_a_restart(folder: Path) -> None:
    with running(folder) as first:
        with psycopg.connect(first.dsn) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        url = first.dsn
    with running(folder) as second:
        assert second.dsn == url
        assert ask(second.dsn, "SELECT answer FROM kept") == 42


def test_a_long_path_with_spaces_gets_a_short_private_socket_folder(folder: Path) -> None:
    home = folder / "a long path" / ("x" * 120) / "with spaces"
    with running(home) as server:
        assert len(str(server.socket_dir)) < 80
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert ask(server.url("postgres", socket=True), "SELECT 1") == 1
    assert not server.socket_dir.exists()


def test_stop_leaves_no_process_and_may_be_called_twice(folder: Path) -> None:
    with running(folder) as server:
        assert command_lines(str(folder))
    server.stop()
    wait_until(lambda: not command_lines(str(folder)), "the server's processes end")


def test_a_second_start_in_the_same_folder_is_refused_by_process_id(folder: Path) -> None:
    with running(folder) as server:
        with pytest.raises(Refused, match=rf"PostgreSQL 18 is already running in .* \(process {os.getpid()}\)"):
            postgres.start(folder, 18)
        assert ask(server.dsn, "SELECT 1") == 1


def test_killing_the_parent_ends_the_server(folder: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", STAY, str(folder)], stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    wait_until(lambda: not is_alive(pid), "the server follows its parent")
    with running(folder) as server:
        assert ask(server.dsn, "SELECT 1") == 1


def test_a_killed_server_starts_again(folder: Path) -> None:
    with running(folder) as server:
        server.process.kill()
        server.process.wait()
        assert server.poll() == -signal.SIGKILL
    with running(folder) as again:
        assert ask(again.dsn, "SELECT 1") == 1


def test_a_stale_pid_file_with_a_strangers_process_id_is_no_obstacle(folder: Path) -> None:
    """PostgreSQL itself refuses when that process runs as the same user."""
    with running(folder) as server:
        server.process.kill()
        server.process.wait()
    pid_file = folder / "data" / "postmaster.pid"
    with stranger() as pid:
        pid_file.write_text(re.sub(r"\A\d+", str(pid), pid_file.read_text()))
        with running(folder) as again:
            assert ask(again.dsn, "SELECT 1") == 1
        assert is_alive(pid)


@pytest.mark.parametrize("folders", ["short", "a long path with spaces"])
def test_a_stale_socket_with_a_strangers_process_id_is_no_obstacle(folder: Path, folders: str) -> None:
    home = folder / folders
    with running(home) as server:
        # Only the process, so that the folder of sockets stays as a crash leaves it.
        os.kill(server.pid, signal.SIGKILL)
        server.process.wait()
        kept = {path.name: path.read_text() for path in server.socket_dir.glob("*.lock")}
        assert kept
    server.socket_dir.mkdir(mode=0o700, exist_ok=True)
    with stranger() as pid:
        for name, text in kept.items():
            (server.socket_dir / name).write_text(re.sub(r"\A\d+", str(pid), text))
        with running(home) as again:
            assert ask(again.url("postgres", socket=True), "SELECT 1") == 1
        assert is_alive(pid)


def test_a_path_that_initdb_cannot_run_from_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = folder / "a $dollar"
    programs.symlink_to(postgres_bin(18))
    monkeypatch.setattr("migrations_app.embedded.cluster.postgres_bin", lambda _major: programs)
    with pytest.raises(Refused, match=r"cannot run from .*: a shell would take the \$ in it\. No database was made\."):
        postgres.start(folder / "home", 18, fast=True)
    assert not (folder / "home" / "data.new").exists()


@contextmanager
def stranger() -> Iterator[int]:
    account = server_account()
    user = account.uid if account else None
    with subprocess.Popen(["sleep", "60"], user=user, cwd="/") as process:
        yield process.pid
        process.kill()


def test_an_empty_pid_file_is_no_obstacle(folder: Path) -> None:
    with running(folder):
        pass
    (folder / "data" / "postmaster.pid").write_text("")
    with running(folder) as again:
        assert ask(again.dsn, "SELECT 1") == 1


def test_a_leftover_server_is_stopped_first(folder: Path) -> None:
    """A server whose folder nobody holds any more has lost its parent."""
    with running(folder) as server:
        server.lock.release()
        with running(folder) as again:
            wait_until(lambda: server.poll() is not None, "the leftover ends")
            assert again.pid != server.pid
            assert ask(again.dsn, "SELECT 1") == 1


def test_a_half_finished_initdb_starts_over(folder: Path) -> None:
    (folder / "data.new" / "base").mkdir(parents=True)
    with running(folder) as server:
        assert ask(server.dsn, "SELECT 1") == 1
    assert not (folder / "data.new").exists()


def test_a_folder_with_strange_files_is_left_alone(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "letters.txt").write_text("mine")
    with pytest.raises(Refused, match="holds files but no PG_VERSION"):
        postgres.start(folder, 18)
    assert (folder / "data" / "letters.txt").read_text() == "mine"


def test_another_majors_folder_is_left_alone(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(Refused, match="was made by PostgreSQL 16; PostgreSQL 18 can't use it"):
        postgres.start(folder, 18)


def test_a_taken_port_is_changed(folder: Path) -> None:
    with running(folder) as first:
        port = first.port
    with socket.create_server(("127.0.0.1", port)), running(folder) as second:
        assert second.port != port
        assert ask(second.dsn, "SELECT 1") == 1


def test_a_server_that_ends_while_starting_says_why_and_lets_the_folder_go(folder: Path) -> None:
    with pytest.raises(Refused, match=r"PostgreSQL 18 ended while starting: .*FATAL.*no_such_setting"):
        postgres.start(folder, 18, fast=True, settings={"no_such_setting": "1"})
    with running(folder) as server:
        assert ask(server.dsn, "SELECT 1") == 1


def test_a_major_without_a_wheel_is_refused(folder: Path) -> None:
    with pytest.raises(Refused, match=r"There is no embedded PostgreSQL 14; there are \[16, 18\]"):
        postgres.start(folder, 14)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_refused(folder: Path) -> None:
    folder.chmod(0o500)
    with pytest.raises(Refused, match="can't be used"):
        postgres.start(folder / "deeper", 18)
