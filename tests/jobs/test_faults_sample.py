"""A sample of `make faults`: fifty faults with shortened leases. The full run is a command of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.faults
def test_it_survives_fifty_faults():
    size = ["--faults", "50", "--revisions", "96", "--targets", "12", "--workers", "4"]
    sample = ["--fast", *size, "--minutes", "3", "--seed", "7"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", *sample],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SHORTENED" in done.stdout
