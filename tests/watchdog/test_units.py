"""The four units of systemd: one interpreter, one folder, one set of variables, and nothing that systemd minds."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from migrations_app.watchdog import contract

SYSTEMD = Path(__file__).parents[2] / "deploy" / "systemd"
UNITS = sorted(SYSTEMD.glob("*.service"))
EXAMPLE = (SYSTEMD / "lockstep.env.example").read_text()


def lines_of(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


def test_the_four_units_agree() -> None:
    assert [unit.name for unit in UNITS] == [
        "lockstep-scheduler.service",
        "lockstep-watchdog.service",
        "lockstep-worker@.service",
        "lockstep.service",
    ]
    for name, value in (
        ("User", "lockstep"),
        ("WorkingDirectory", "/opt/lockstep"),
        ("RuntimeDirectory", "lockstep"),
        ("RuntimeDirectoryPreserve", "yes"),
        ("StateDirectory", "lockstep"),
    ):
        assert [lines_of(unit, name) for unit in UNITS] == [[value]] * 4, name
    for unit in UNITS:
        assert lines_of(unit, "EnvironmentFile")[0] == "/etc/lockstep/lockstep.env"
        assert lines_of(unit, "ExecStart")[0].startswith("/opt/lockstep/.venv/bin/python ")
        assert not [line for line in lines_of(unit, "Environment") if line.startswith(("WATCHDOG", "GUNICORN"))]


def test_the_example_of_their_variables_is_a_contract_that_holds() -> None:
    environ = dict(re.findall(r"^([A-Z_]+)=(.+)$", EXAMPLE, re.MULTILINE))
    agreed = contract.read(environ, Path("/opt/lockstep"))
    assert contract.errors(agreed) == ()
    assert agreed.watchdog_pid_file == environ["WATCHDOG_PID_FILE"] == "/run/lockstep/gunicorn.pid"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_has_nothing_to_say_about_them(tmp_path: Path) -> None:
    """With a program that exists, for it looks whether it does."""
    copies = []
    for unit in UNITS:
        copies.append(tmp_path / unit.name.replace("@", "@1"))
        copies[-1].write_text(unit.read_text().replace("/opt/lockstep/.venv/bin/python", "/bin/sh"))
    argv = ["systemd-analyze", "verify", "--man=no", *map(str, copies)]
    said = subprocess.run(argv, capture_output=True, text=True)
    about_them = [line for line in said.stderr.splitlines() if "lockstep" in line]
    assert (about_them, said.returncode) == ([], 0), said.stderr
