"""What `manage.py up` leaves for other terminals."""

from __future__ import annotations

import stat
from pathlib import Path

from migrations_app.embedded import runtime_env

MADE = {"LOCKSTEP_DATABASE_URL": "postgresql://u:p@h/d?a=b", "LOCKSTEP_REDIS_URL": "unix:///s?db=0"}


def test_it_is_private_and_readable_line_by_line(folder: Path) -> None:
    runtime_env.write(folder, MADE)
    path = folder / "runtime.env"
    assert path.read_text() == "".join(f"{name}={value}\n" for name, value in MADE.items())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_removing_it_twice_is_fine(folder: Path) -> None:
    runtime_env.write(folder, MADE)
    runtime_env.remove(folder)
    runtime_env.remove(folder)
    assert not (folder / "runtime.env").exists()


def test_what_a_crashed_up_left_is_forgotten_and_what_the_user_set_stays(folder: Path) -> None:
    runtime_env.write(folder, MADE)
    environment = {**MADE, "LOCKSTEP_REDIS_URL": "redis://mine", "PATH": "/bin"}
    runtime_env.forget(folder, environment)
    assert environment == {"LOCKSTEP_REDIS_URL": "redis://mine", "PATH": "/bin"}


def test_without_a_file_nothing_is_forgotten(folder: Path) -> None:
    environment = dict(MADE)
    runtime_env.forget(folder, environment)
    assert environment == MADE
