"""A setting that cannot be used: one sentence at start, no traceback, and no secret repeated."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

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


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("soon", "SOME_COUNT is 'soon'; it wants a number, such as 5."),
        ("0", "SOME_COUNT is '0'; it wants a number above zero."),
        ("nan", "SOME_COUNT is 'nan'; it wants a number above zero."),
        ("2.5", "SOME_COUNT is '2.5'; it wants a whole number, such as 5."),
        ("11", "SOME_COUNT is '11'; it wants a number that is 10 at most."),
    ],
)
def test_a_count_is_a_whole_number_within_its_bounds(monkeypatch: pytest.MonkeyPatch, value: str, said: str) -> None:
    assert env.count("SOME_COUNT", 5, most=10) == 5
    monkeypatch.setenv("SOME_COUNT", value)
    with pytest.raises(ImproperlyConfigured, match=re.escape(said)):
        env.count("SOME_COUNT", 5, most=10)
