"""dbmate, a peer that also keeps a history row per migration: fetched once from npm into a cache folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.timing import stopwatch
from tests.bench.workload import Change

VERSION = "2.36.0"
_INSTALL_SECONDS = 120


@dataclass(frozen=True)
class Missing:
    """Why it is not here; the table says so."""

    reason: str


@dataclass(frozen=True)
class Dbmate:
    program: Path
    version: str

    def run(self, url: str, folder: Path) -> float:
        """Seconds of the whole process; the address is in its environment only."""
        command = [str(self.program), "--no-dump-schema", "--migrations-dir", str(folder), "migrate"]
        with stopwatch() as watch:
            subprocess.run(
                command,
                env={**os.environ, "DATABASE_URL": f"{url}?sslmode=disable"},
                cwd=folder.parent,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        return watch.seconds


def find(*, install: bool) -> Dbmate | Missing:
    folder = _cache()
    program = folder / "node_modules" / ".bin" / "dbmate"
    if not program.exists():
        if not install:
            return Missing("it is not in the cache and --no-install was given")
        complaint = _install(folder)
        if complaint:
            return Missing(complaint)
    told = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False)
    if told.returncode != 0:
        return Missing(f"the installed program does not run here: {_last_line(told.stderr)}")
    return Dbmate(_native(folder) or program, told.stdout.split()[-1])


def write_migrations(folder: Path, wanted: Sequence[Change]) -> Path:
    folder.mkdir(parents=True)
    for change in wanted:
        (folder / f"{change.revision_id}.sql").write_text(f"-- migrate:up\n{change.sql}\n-- migrate:down\n")
    return folder


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "lockstep-bench" / f"dbmate-{VERSION}"


def _native(folder: Path) -> Path | None:
    """The program itself, so that the time of its Node wrapper is not held against it."""
    return next((folder / "node_modules" / "@dbmate").glob("*/bin/dbmate"), None)


def _install(folder: Path) -> str:
    """What npm said when it failed, or an empty string."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"dbmate@{VERSION}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
    except FileNotFoundError:
        return "npm is not installed here"
    except subprocess.TimeoutExpired:
        return f"npm did not install it within {_INSTALL_SECONDS} s"
    return "" if done.returncode == 0 else f"npm could not install it: {_last_line(done.stderr)}"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"
