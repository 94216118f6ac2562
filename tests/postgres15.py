"""PostgreSQL 15, which no wheel brings: the machine's own, found by .ci/postgres15 or where Debian puts it."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from migrations_app.embedded import wheels

VARIABLE = "LOCKSTEP_TEST_POSTGRES15"
_DEBIAN = "/usr/lib/postgresql/15/bin"


@cache
def folder() -> Path | None:
    """Where its programs are; the variable must tell the truth, the usual place may be empty."""
    given = os.environ.get(VARIABLE)
    found = Path(given or _DEBIAN)
    if (found / "initdb").exists():
        return found
    if given:
        pytest.fail(f"{VARIABLE} is {given}, and there is no initdb in it.")
    return None


def require() -> None:
    """Make it a server the run can start, or end the test: as a failure where a skip would go unseen."""
    found = folder()
    if found is not None:
        wheels.use_installed(15, found)
        return
    message = f"No PostgreSQL 15 in {_DEBIAN}; install it or name its folder in {VARIABLE}."
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
