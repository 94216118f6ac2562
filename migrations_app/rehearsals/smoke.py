"""The application's own word on a clone: a program that the administrator put into a folder, named like the service.

It gets the clone's address and nothing else of ours; what it exits with is the answer.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from migrations_app.engine.errors import StatementFailed
from migrations_app.engine.target.dsn import Dsn

PATIENCE_S = 120.0
_KEPT = ("PATH", "HOME", "LANG", "TZ")
_TOLD = 500  # characters of what it said last


def smoke_of(service: str, environment: str) -> Callable[[Dsn], None] | None:
    """What to call with a clone's address; None where the folder has no program of that name."""
    if not settings.LOCKSTEP_SMOKE_DIR:
        return None
    program = Path(settings.LOCKSTEP_SMOKE_DIR) / service
    if not program.is_file() or not os.access(program, os.X_OK):
        return None
    return lambda dsn: _run(program, dsn, service, environment)


def _run(program: Path, dsn: Dsn, service: str, environment: str) -> None:
    """Raises StatementFailed("smoke_failed"), with the end of what the program said."""
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    env |= {"LOCKSTEP_CLONE": dsn.conninfo(), "LOCKSTEP_SERVICE": service, "LOCKSTEP_ENVIRONMENT": environment}
    try:
        ended = subprocess.run(
            [str(program)],
            env=env,
            cwd=program.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise _failed(program, f"did not end within {PATIENCE_S:.0f} s", late.output) from None
    except OSError as error:
        raise _failed(program, f"could not be started: {error.strerror}", b"") from None
    if ended.returncode:
        raise _failed(program, f"ended with {ended.returncode}", ended.stdout)


def _failed(program: Path, how: str, said: bytes | None) -> StatementFailed:
    words = (said or b"").decode(errors="replace").strip()[-_TOLD:].replace("\x00", "\ufffd")
    return StatementFailed(
        "smoke_failed",
        f"The smoke check {program.name} {how}{f': {words}' if words else '.'}",
        not_done="The way back was not tried; the target was only read.",
        next_step="Correct the revision, or the check, then rehearse again.",
    )
