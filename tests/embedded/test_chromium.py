"""The script that finds a Chromium for the browser tests: its path on standard output, or one loud line."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "chromium"
LOUD = "*** NO CHROMIUM: THE BROWSER TESTS DO NOT RUN. Install chromium and start again. ***"


def program(folder: Path, name: str, *, status: int = 0) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\nexit {status}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with next to nothing on it; there is no .venv to download with either."""
    folder = tmp_path / "bin with space"
    folder.mkdir()
    program_id = shutil.which("id")
    assert program_id
    (folder / "id").symlink_to(program_id)
    return folder


def find(path: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(path)}
    return subprocess.run(
        ["/bin/sh", SCRIPT], env=environment, cwd=path, capture_output=True, text=True, timeout=60, check=True
    )


def test_it_finds_one_on_path(path: Path) -> None:
    chromium = program(path, "google-chrome")
    assert (find(path).stdout, find(path).stderr) == (f"{chromium}\n", "")


def test_it_passes_over_one_that_does_not_start(path: Path) -> None:
    program(path, "chromium", status=1)
    chrome = program(path, "google-chrome")
    assert find(path).stdout == f"{chrome}\n"


def test_without_one_it_says_so_loudly_and_succeeds(path: Path) -> None:
    program(path, "chromium-browser", status=1)
    found = find(path)
    assert found.stdout == ""
    assert found.stderr.splitlines()[-1] == LOUD
