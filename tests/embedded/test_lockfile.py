"""One process per folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from migrations_app.embedded import lockfile
from migrations_app.engine.errors import Refused

HOLD = """
import sys, time
from pathlib import Path
from migrations_app.embedded import lockfile
lock = lockfile.hold(Path(sys.argv[1]), what="It")
print("held", flush=True)
time.sleep(60)
"""


def test_it_refuses_the_second_with_the_firsts_process_id(folder: Path) -> None:
    lock = lockfile.hold(folder / "lock", what="It")
    with pytest.raises(Refused) as refusal:
        lockfile.hold(folder / "lock", what="It")
    lock.release()
    assert str(refusal.value) == (
        f"It is already running in {folder} (process {os.getpid()}). Nothing was started. "
        "Stop that process first, or use another folder."
    )


def test_a_released_lock_can_be_taken(folder: Path) -> None:
    for _ in range(2):
        lock = lockfile.hold(folder / "lock", what="It")
        assert lockfile.is_held(folder / "lock")
        lock.release()
        lock.release()
    assert not lockfile.is_held(folder / "lock")


def test_nothing_is_held_where_nothing_is(folder: Path) -> None:
    assert not lockfile.is_held(folder / "lock")


def test_the_lock_of_a_killed_process_is_free(folder: Path) -> None:
    path = folder / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert lockfile.is_held(path)
        holder.kill()
    lockfile.hold(path, what="It").release()
