"""A setting that cannot be used: one sentence at start, no traceback, and no secret repeated."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LOCKSTEP_TLS", "maybe", "LOCKSTEP_TLS is 'maybe'; it wants true or false."),
        ("LOCKSTEP_LEASE_SECONDS", "soon", "LOCKSTEP_LEASE_SECONDS is 'soon'; it wants a number, such as 15."),
        ("LOCKSTEP_DATABASE_URL", "hidden-word", "LOCKSTEP_DATABASE_URL is not a PostgreSQL address."),
        ("LOCKSTEP_REDIS_URL", "hidden-word", "LOCKSTEP_REDIS_URL is not a Redis address."),
        ("LOCKSTEP_SECRET_KEY_FILE", "/nowhere", "LOCKSTEP_SECRET_KEY_FILE names '/nowhere', which cannot be read"),
    ],
)
@pytest.mark.parametrize("command", ["up", "worker"])
def test_it_is_told_in_one_line(command: str, name: str, value: str, said: str) -> None:
    refused = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), command],
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith(said)
    assert refused.stderr.count("\n") == 1
    assert "hidden-word" not in refused.stderr + refused.stdout
