"""Embedded Redis: private, durable enough, and gone with its parent."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from migrations_app.embedded import redis
from migrations_app.embedded.redis import RedisServer
from migrations_app.engine.errors import Refused
from tests.embedded.waiting import command_lines, is_alive, wait_until

STAY = """
import sys, time
from pathlib import Path
from migrations_app.embedded import redis
print(redis.start(Path(sys.argv[1])).pid, flush=True)
time.sleep(60)
"""


@contextmanager
def running(home: Path) -> Iterator[RedisServer]:
    server = redis.start(home)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def client(server: RedisServer) -> Iterator[Redis]:
    connection = Redis.from_url(server.url(), decode_responses=True)
    try:
        yield connection
    finally:
        connection.close()


def test_it_listens_on_a_private_socket_alone(redis_server: RedisServer) -> None:
    with client(redis_server) as connection:
        assert connection.config_get("port") == {"port": "0"}
    assert stat.S_IMODE(redis_server.socket.parent.stat().st_mode) == 0o700
    assert redis_server.url(3) == f"unix://{redis_server.socket}?db=3"


def test_it_refuses_writes_rather_than_forgetting(redis_server: RedisServer) -> None:
    with client(redis_server) as connection:
        assert connection.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert connection.config_get("append*") == {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "appendfilename": "appendonly.aof",
        }


def test_data_survive_a_restart(folder: Path) -> None:
    with running(folder) as first, client(first) as connection:
        connection.set("kept", "42")
    with running(folder) as second, client(second) as connection:
        assert connection.get("kept") == "42"


def test_data_survive_a_kill(folder: Path) -> None:
    with running(folder) as first, client(first) as connection:
        connection.set("kept", "42")
        wait_until(lambda: connection.info("persistence")["aof_pending_bio_fsync"] == 0, "the log is written")
        first.process.kill()
        first.process.wait()
    with running(folder) as second, client(second) as connection:
        assert connection.get("kept") == "42"


def test_a_long_path_with_spaces_works(folder: Path) -> None:
    home = folder / "a long path" / ("x" * 120) / "with spaces"
    with running(home) as server, client(server) as connection:
        assert connection.ping()
        assert " " not in server.url()
    assert not server.socket.parent.exists()


def test_a_second_start_in_the_same_folder_is_refused(folder: Path) -> None:
    with (
        running(folder),
        pytest.raises(Refused, match=rf"Redis is already running in .*process {os.getpid()}"),
    ):
        redis.start(folder)


def test_stop_leaves_no_process_and_may_be_called_twice(folder: Path) -> None:
    with running(folder) as server:
        assert command_lines(str(folder))
    server.stop()
    assert not command_lines(str(folder))


def test_killing_the_parent_ends_the_server(folder: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", STAY, str(folder)], stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    wait_until(lambda: not is_alive(pid), "the server follows its parent")


def test_a_leftover_server_is_stopped_first(folder: Path) -> None:
    with running(folder) as server:
        server.lock.release()
        with running(folder) as again, client(again) as connection:
            assert connection.info("server")["process_id"] == again.pid
            wait_until(lambda: server.poll() is not None, "the leftover ends")


def test_a_server_that_ends_while_starting_says_why(folder: Path) -> None:
    with running(folder) as server:
        pass
    aof = server.home / "data" / "appendonly.aof"
    aof.write_text("*not a log\r\n" * 3)
    with pytest.raises(Refused, match=r"Redis did not come up: .*Bad file format") as refusal:
        redis.start(folder)
    assert str(folder / "log") in refusal.value.next_step


def test_a_killed_server_reports_its_signal(folder: Path) -> None:
    with running(folder) as server:
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        assert server.poll() == -signal.SIGKILL
