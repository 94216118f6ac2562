"""The files between web processes and watchdog: written whole or not at all, and never trusted when read."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from migrations_app.watchdog.entry import BLOCKED, Entry, Flag, Unreadable, entry_of, flag_of

HISTORY_MAX = 50
LOCK, BEAT = "lockstep_restart.lock", "lockstep_watchdog.beat"
LOCK_PATIENCE_S = 2.0
_LARGEST = 1_000_000
_MODE = 0o640


@dataclass(frozen=True)
class Kept:
    """What the state file holds, oldest entry first. `trouble` says why it could not be read."""

    history: tuple[Entry, ...] = ()
    last_restart: Entry | None = None
    trouble: str = ""


def read_flag(path: Path) -> Flag | None:
    """None: nobody waits for a restart. Raises Unreadable."""
    try:
        return flag_of(_read_json(path))
    except FileNotFoundError:
        return None


def write_flag(path: Path, flag: Flag) -> None:
    _write(path, flag.as_json())


def delete_flag(path: Path) -> None:
    """Raises OSError when it cannot be taken away."""
    with suppress(FileNotFoundError):
        try:
            path.unlink()
        except (IsADirectoryError, PermissionError):
            path.rmdir()


def read_pid(path: Path) -> int | None:
    """The process id of gunicorn's master, as its file tells it; None if there is none that can be one."""
    try:
        text = _read(path).strip()
    except (OSError, Unreadable):
        return None
    return int(text) if text.isascii() and text.isdigit() and 1 < int(text) < 2**31 else None


def read_state(path: Path) -> Kept:
    """Entries that cannot be read are left out; without a file there were no restarts yet."""
    try:
        found = _read_json(path)
        listed = found.get("history") if isinstance(found, dict) else None
        if not isinstance(listed, list):
            raise Unreadable("it holds no history")
    except FileNotFoundError:
        return Kept()
    except (OSError, Unreadable) as problem:
        return Kept(trouble=f"{path} cannot be read: {_why(problem)}.")
    entries = tuple(_good_entries(listed))
    lost = len(listed) - len(entries)
    return Kept(entries, _last_restart(entries), f"{path} has {lost} unreadable entries." if lost else "")


def append_entry(path: Path, entry: Entry, limit: int = HISTORY_MAX) -> None:
    """The newest `limit` are kept. A file that could not be read is put aside, so that nothing is lost for good."""
    kept = read_state(path)
    if kept.trouble:
        with suppress(OSError):
            path.replace(path.with_name(f"{path.name}.unreadable"))
    history = (*kept.history, entry)[-limit:]
    last = _last_restart(history) or kept.last_restart
    told = None if last is None else {name: last.as_json()[name] for name in _LAST}
    _write(path, {"last_restart": told, "history": [one.as_json() for one in history], "history_limit": limit})


@contextmanager
def alone(runtime_dir: Path, patience: float = LOCK_PATIENCE_S) -> Iterator[None]:
    """Nobody else looks at the flag and acts upon it meanwhile. Raises OSError when the folder cannot be used, and
    TimeoutError when somebody else does not let go."""
    descriptor = os.open(runtime_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
    try:
        _lock(descriptor, time.monotonic() + patience)
        yield
    finally:
        os.close(descriptor)


def beat(runtime_dir: Path) -> None:
    """The watchdog looked just now."""
    path = runtime_dir / BEAT
    path.touch(_MODE)
    os.utime(path)


def beat_age(runtime_dir: Path, now: float) -> float | None:
    """Seconds since the watchdog last looked; None: it never did, or cannot be seen from here."""
    try:
        return max(0.0, now - (runtime_dir / BEAT).stat().st_mtime)
    except OSError:
        return None


_LAST = ("requested_by", "requested_at", "requested_ip", "completed_at", "success")


def _last_restart(history: tuple[Entry, ...]) -> Entry | None:
    tried = [entry for entry in history if entry.decision != BLOCKED and entry.requested_at is not None]
    return tried[-1] if tried else None


def _good_entries(listed: list[object]) -> Iterator[Entry]:
    for value in listed:
        with suppress(Unreadable):
            yield entry_of(value)


def _lock(descriptor: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise TimeoutError("somebody else holds the lock of the restart flag") from None
            time.sleep(0.02)
        else:
            return


def _read(path: Path) -> str:
    """A link, a folder, a pipe or something endless is not read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(_LARGEST + 1) or b""
    if len(content) > _LARGEST:
        raise Unreadable("it is too large")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Unreadable("it is no text") from None


def _read_json(path: Path) -> object:
    try:
        return json.loads(_read(path))
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise Unreadable(_why(problem)) from None
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None


def _why(problem: Exception) -> str:
    return problem.strerror or type(problem).__name__ if isinstance(problem, OSError) else str(problem)


def _write(path: Path, value: dict[str, object]) -> None:
    """Beside it, to the disk, then in its place: a reader sees the old or the new, a lost machine too."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _settle(path.parent)


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
