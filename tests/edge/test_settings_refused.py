"""A setting that cannot be used: one sentence at start, no traceback, and no secret repeated."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard import env

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LOCKSTEP_TLS", "maybe", "LOCKSTEP_TLS is 'maybe'; it wants true or false."),
        ("LOCKSTEP_LEASE_SECONDS", "soon", "LOCKSTEP_LEASE_SECONDS is 'soon'; it wants a number, such as 15."),
        ("LOCKSTEP_DATABASE_URL", "hidden-word", "LOCKSTEP_DATABASE_URL is not a PostgreSQL address."),
        (
            "LOCKSTEP_DATABASE_URL",
            "postgresql://u:hidden-word@h:x/d",
            "LOCKSTEP_DATABASE_URL is not a PostgreSQL address.",
        ),
        (
            "LOCKSTEP_DATABASE_URL",
            "postgresql://u:hidden-word@h/d?hostaddr=1",
            "LOCKSTEP_DATABASE_URL has the parameter",
        ),
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


def test_how_the_way_to_the_database_is_protected_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_URL", "postgresql://u:p%40ss@h:5433/d?sslmode=verify-full&sslrootcert=/etc/my%20ca.pem")
    found = env.database("SOME_URL")
    assert found is not None
    assert (found["PASSWORD"], found["PORT"]) == ("p@ss", "5433")
    assert found["OPTIONS"] == {"sslmode": "verify-full", "sslrootcert": "/etc/my ca.pem"}
