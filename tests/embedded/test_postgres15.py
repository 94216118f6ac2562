"""The script that finds a PostgreSQL 15 for the tests, and what a test does without one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres15

SCRIPT = Path(__file__).parents[2] / ".ci" / "postgres15"
LOUD = "*** NO POSTGRESQL 15: ITS TESTS DO NOT RUN. Install postgresql-15 and start again. ***"


def find(path: Path, *folders: Path) -> subprocess.CompletedProcess[str]:
    """With next to nothing on PATH, so that it cannot install either."""
    environment = {"PATH": str(path), "LOCKSTEP_POSTGRES15_FOLDERS": " ".join(map(str, folders))}
    return subprocess.run(
        ["/bin/sh", SCRIPT], env=environment, cwd=path, capture_output=True, text=True, timeout=60, check=True
    )


def programs(folder: Path, *, status: int = 0) -> Path:
    folder.mkdir()
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\nexit {status}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "path"
    folder.mkdir()
    program_id = shutil.which("id")
    assert program_id
    (folder / "id").symlink_to(program_id)
    return folder


def test_it_prints_the_folder(path: Path, tmp_path: Path) -> None:
    folder = programs(tmp_path / "bin")
    found = find(path, tmp_path / "missing", folder)
    assert (found.stdout, found.stderr) == (f"{folder}\n", "")


def test_it_passes_over_one_that_does_not_start(path: Path, tmp_path: Path) -> None:
    found = find(path, programs(tmp_path / "broken", status=1))
    assert found.stdout == ""


def test_without_one_it_says_so_loudly_and_succeeds(path: Path, tmp_path: Path) -> None:
    found = find(path, tmp_path / "missing")
    assert found.stdout == ""
    assert found.stderr.splitlines()[-1] == LOUD


@pytest.fixture
def _asked_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No PostgreSQL 15 in its usual place."""
    monkeypatch.setattr(postgres15, "_DEBIAN", str(tmp_path / "none"))
    monkeypatch.delenv(postgres15.VARIABLE, raising=False)
    monkeypatch.delenv("CI", raising=False)
    postgres15.folder.cache_clear()
    yield
    postgres15.folder.cache_clear()


@pytest.mark.usefixtures("_asked_anew")
def test_a_test_without_one_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pytest.skip.Exception, match="No PostgreSQL 15"):
        postgres15.require()


@pytest.mark.usefixtures("_asked_anew")
def test_a_test_without_one_fails_where_a_skip_would_go_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="No PostgreSQL 15"):
        postgres15.require()


@pytest.mark.usefixtures("_asked_anew")
def test_a_test_fails_when_the_variable_promises_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(postgres15.VARIABLE, "/nowhere/bin")
    with pytest.raises(pytest.fail.Exception, match="/nowhere/bin"):
        postgres15.require()
