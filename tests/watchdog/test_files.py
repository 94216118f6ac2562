"""The files between web processes and watchdog: whole or not there, and garbage is told apart from nothing."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from migrations_app.watchdog import files
from migrations_app.watchdog.entry import Unreadable
from tests.watchdog.entries import entry, flag

GOOD = {"user": "ada", "ip": "", "timestamp": "2026-11-27T12:00:00+00:00", "worker_pid": 1}
DEEP = "[" * 100_000


def told(**changes: object) -> str:
    return json.dumps({**GOOD, **changes})


def test_a_flag_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "flag"
    assert files.read_flag(path) is None
    asked = flag(
        source="auto", manual_override=True, override_acknowledged=True, override_reason="it leaks — déjà vu",
        policy_state={"state": "blocked"}, policy_decision={"decision": "manual_override"},
        runtime_contract_version="1",
    )  # fmt: skip
    files.write_flag(path, asked)
    files.write_flag(path, asked)
    assert files.read_flag(path) == asked
    assert [one.name for one in tmp_path.iterdir()] == ["flag"]
    files.delete_flag(path)
    files.delete_flag(path)
    assert files.read_flag(path) is None


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"null", b"[]", b"\xff\xfe", DEEP.encode(), b"9" * 5000, b"x" * 1_000_001, b"{}",
        told(user=None).encode(), told(user="x" * 501).encode(), told(user="a\0b").encode(),
        told(user="\ud800").encode(), told(worker_pid="1").encode(), told(worker_pid=True).encode(),
        told(timestamp="2026-11-27T12:00:00").encode(), told(timestamp="soon").encode(),
        told(timestamp="0001-01-01T00:00:00+23:00").encode(), told(manual_override="yes").encode(),
        told(source="cron").encode(), told(policy_state=[]).encode(),
    ],
)  # fmt: skip
def test_garbage_is_no_flag(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "flag"
    path.write_bytes(content)
    with pytest.raises(Unreadable):
        files.read_flag(path)
    files.delete_flag(path)
    assert not path.exists()


def test_links_folders_and_pipes_are_not_followed(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "flag", tmp_path / "elsewhere"
    elsewhere.write_text(told())
    ways: tuple[Callable[[], None], ...] = (lambda: path.symlink_to(elsewhere), path.mkdir, lambda: os.mkfifo(path))
    for make in ways:
        make()
        with pytest.raises(Unreadable):
            files.read_flag(path)
        files.delete_flag(path)
        assert not os.path.lexists(path)
    assert elsewhere.exists()


@pytest.mark.parametrize(
    ("content", "pid"),
    [
        ("4711\n", 4711),
        ("", None),
        ("0", None),
        ("1", None),
        ("-5", None),
        ("abc", None),
        ("٣٤", None),
        ("9" * 30, None),
    ],
)
def test_a_pid_file_tells_one_number(tmp_path: Path, content: str, pid: int | None) -> None:
    (tmp_path / "pid").write_text(content)
    assert files.read_pid(tmp_path / "pid") == pid
    assert files.read_pid(tmp_path / "none") is None


def test_the_newest_entries_are_kept_and_the_last_restart_is_none_that_was_refused(tmp_path: Path) -> None:
    path = tmp_path / "state"
    assert files.read_state(path) == files.Kept()
    for number in range(5):
        files.append_entry(path, entry(100 - number), limit=3)
    files.append_entry(path, entry(1, "blocked"), limit=3)
    found = json.loads(path.read_text())
    assert [one["decision"] for one in found["history"]] == ["executed", "executed", "blocked"]
    assert found["history_limit"] == 3
    assert found["last_restart"] == {
        "requested_by": "ada",
        "requested_at": "2026-11-27T11:58:22+00:00",
        "requested_ip": "10.0.0.7",
        "completed_at": "2026-11-27T11:58:24+00:00",
        "success": True,
    }
    assert files.read_state(path).last_restart == entry(96)


def test_a_state_file_that_cannot_be_read_is_told_and_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "state"
    for content, trouble in (
        ("{", "it is no JSON"),
        ('{"history": {}}', "it holds no history"),
        ("[]", "it holds no history"),
    ):
        path.write_text(content)
        assert files.read_state(path) == files.Kept(trouble=f"{path} cannot be read: {trouble}.")
    files.append_entry(path, entry(5))
    assert files.read_state(path).history == (entry(5),)
    assert (tmp_path / "state.unreadable").read_text() == "[]"
    path.write_text(json.dumps({"history": [entry(9).as_json(), {"decision": "executed"}, 7]}))
    assert files.read_state(path) == files.Kept((entry(9),), entry(9), f"{path} has 2 unreadable entries.")


def test_one_at_a_time_holds_the_flag(tmp_path: Path) -> None:
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with files.alone(tmp_path):
            held.set()
            go.wait(20)

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(20)
    with pytest.raises(TimeoutError), files.alone(tmp_path, patience=0.05):
        pass
    go.set()
    with files.alone(tmp_path, patience=20):
        pass
    other.join()
    with pytest.raises(OSError), files.alone(tmp_path / "none"):
        pass


def test_the_watchdog_shows_when_it_last_looked(tmp_path: Path) -> None:
    assert files.beat_age(tmp_path, 0.0) is None
    files.beat(tmp_path)
    os.utime(tmp_path / files.BEAT, (1000, 1000))
    assert files.beat_age(tmp_path, 1007.5) == 7.5
    files.beat(tmp_path)
    assert (tmp_path / files.BEAT).stat().st_mtime > 1007
