"""deploy/install.sh below a folder of its own: twice the same, and clear sentences where it cannot."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from django.db import connection

from migrations_app.embedded.postgres import Server

ROOT = Path(__file__).parents[2]
INSTALL, MANAGE = ROOT / "deploy" / "install.sh", ROOT / "deploy" / "lockstep-manage"
NOWHERE = "postgresql://nobody:hush@127.0.0.1:1/none"


def install(*options: object, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    """With nothing of Lockstep in the environment."""
    argv = ["/bin/sh", str(INSTALL), *map(str, options)]
    return subprocess.run(argv, env={"PATH": path, "LC_ALL": "C"}, capture_output=True, text=True)


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Each file with its mode and content."""
    return {
        str(path.relative_to(folder)): (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".venv" not in path.parts and "__pycache__" not in path.parts
    }


@pytest.mark.django_db
def test_a_second_run_keeps_what_is_there_and_goes_on_where_the_first_failed(tmp_path: Path, pg18: Server) -> None:
    """The first is given an address that Lockstep refuses; whoever runs it corrects the environment file."""
    root, wrong = tmp_path / "root", NOWHERE + "?surprise=1"
    given = ("--root", root, "--venv", sys.prefix)
    first = install(*given, "--database-url", wrong, "--host", "lockstep.test")
    assert (first.returncode, "nothing was started" in first.stderr) == (1, True), first.stderr
    assert "'surprise'" in first.stderr
    environment = root / "etc/lockstep/lockstep.env"
    values = dict(re.findall(r"^([A-Z_]+)=(.*)$", environment.read_text(), re.MULTILINE))
    assert values["LOCKSTEP_DATABASE_URL"] == wrong
    assert values["LOCKSTEP_ALLOWED_HOSTS"] == "lockstep.test,127.0.0.1"
    assert len(values["LOCKSTEP_SECRET_KEY"]) >= 50
    assert stat.S_IMODE(environment.stat().st_mode) == 0o640
    installed = sorted(unit.name for unit in (root / "etc/systemd/system").iterdir())
    assert installed == sorted(unit.name for unit in (ROOT / "deploy/systemd").glob("*.service"))

    migrated = pg18.url(str(connection.settings_dict["NAME"]))
    environment.write_text(environment.read_text().replace(wrong, migrated))
    there = contents(root)
    (root / "opt/lockstep/migrations_app/of_an_older_version.py").write_text("")
    second = install(*given, "--database-url", NOWHERE)
    assert second.returncode == 0, second.stdout + second.stderr
    assert contents(root) == there
    assert "Keeping" in second.stdout
    assert "--database-url is not looked at" in second.stdout
    assert "Installing" not in second.stdout


def test_a_dry_run_says_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    said = [install("--root", tmp_path, "--dry-run", "--database-url", NOWHERE) for _ in range(2)]
    assert [one.returncode for one in said] == [0, 0], said[0].stderr
    assert said[0].stdout == said[1].stdout
    assert list(tmp_path.iterdir()) == []
    for told in ("migrate --noinput", "pip install", "lockstep-worker@.service", f"{tmp_path}/etc/lockstep"):
        assert told in said[0].stdout
    assert "hush" not in said[0].stdout + said[0].stderr


def test_what_is_missing_is_named_and_nothing_is_done(tmp_path: Path) -> None:
    old = tmp_path / "bin"
    old.mkdir()
    for name in ("sh", "dirname", "grep", "id"):
        (old / name).symlink_to(str(shutil.which(name)))
    (old / "python3").write_text("#!/bin/sh\nexit 1\n")
    (old / "python3").chmod(0o755)
    empty = tmp_path / "empty"
    empty.mkdir()
    for options, path, sentence in (
        (("--root", empty), os.environ["PATH"], "there is no database"),
        (("--root", empty, "--database-url", "mysql://hush@there/it"), os.environ["PATH"], "no PostgreSQL address"),
        (("--root", empty, "--database-url", NOWHERE), str(old), "needs Python 3.11"),
        (("--root", empty, "--workers", "two", "--database-url", NOWHERE), os.environ["PATH"], "wants a number"),
        (("--root", empty, "--venv", empty, "--database-url", NOWHERE), os.environ["PATH"], "is not there"),
        (("--surprise",), os.environ["PATH"], "no option --surprise"),
    ):
        refused = install(*options, path=path)
        assert (refused.returncode, sentence in refused.stderr) == (1, True), refused.stderr
        assert "Nothing was done." in refused.stderr
        assert "hush" not in refused.stderr
    assert list(empty.iterdir()) == []


@pytest.mark.skipif(Path("/run/systemd/system").is_dir(), reason="systemd runs here")
def test_without_systemd_it_says_so() -> None:
    refused = install("--dry-run", "--database-url", NOWHERE)
    assert (refused.returncode, "systemd does not run here" in refused.stderr) == (1, True), refused.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="there is no shellcheck")
def test_shellcheck_has_nothing_to_say() -> None:
    said = subprocess.run(["shellcheck", str(INSTALL), str(MANAGE)], capture_output=True, text=True)
    assert (said.stdout, said.returncode) == ("", 0)


def test_each_dependency_is_pinned_to_the_version_that_is_tested() -> None:
    pinned = (ROOT / "deploy/requirements.txt").read_text()
    pins = dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)$", pinned, re.MULTILINE))
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = [re.split(r"[\[<>=]", line)[0] for line in wanted]
    assert {name: pins.get(name) for name in names} == {name: version(name) for name in names}
