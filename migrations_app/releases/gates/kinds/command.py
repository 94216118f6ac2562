"""A worker runs a program that the machine's administrator put into LOCKSTEP_CHECKS_DIR; with 0 the check holds."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings as configured

from migrations_app.models import Release
from migrations_app.rehearsals.smoke_program import Running, running
from migrations_app.releases.gates.catalogue import Check
from migrations_app.releases.gates.kinds import EVERY, Found, bad_times, found, timeout_s, unknown_settings

TIMEOUT_S = 300.0
LONGEST_S = 900.0
_GRACE_S = 15.0  # for what is left of a program that was ended
_LONGEST_LINE = 2000
_KNOWN = frozenset({"command", "timeout_seconds", EVERY})
# No way out of the folder, and nothing that begins like an option.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")


def problem(settings: Mapping[str, object]) -> str:
    command = settings.get("command")
    if not isinstance(command, str) or not _NAME.match(command):
        return "needs the setting command: the name of a program in LOCKSTEP_CHECKS_DIR, without a path or arguments."
    return unknown_settings(settings, _KNOWN) or bad_times(settings, LONGEST_S)


def longest_s(release: Release, check: Check) -> float:
    return timeout_s(check, TIMEOUT_S) + _GRACE_S


def collect(release: Release, check: Check) -> Found:
    name, host = str(check.settings["command"]), socket.gethostname()
    producer, detail = f"{name} on {host}", {"command": name}
    if not configured.LOCKSTEP_CHECKS_DIR:
        return found(producer, "", [f"The worker on {host} has no LOCKSTEP_CHECKS_DIR, so it runs nothing."], detail)
    program = Path(configured.LOCKSTEP_CHECKS_DIR) / name
    if not program.is_file() or not os.access(program, os.X_OK):
        told = f"There is no program {name} in LOCKSTEP_CHECKS_DIR of the worker on {host}, or no right to execute it."
        return found(producer, "", [told], detail)
    # Another program of the same name is another proof.
    detail["sha256"] = hashlib.sha256(program.read_bytes()).hexdigest()
    good, broken = _run(program, _environment(release, check), timeout_s(check, TIMEOUT_S))
    return found(producer, good, broken, detail)


def _run(program: Path, environment: Mapping[str, str], limit_s: float) -> tuple[str, list[str]]:
    with tempfile.TemporaryDirectory(prefix="lockstep-check-") as folder:
        # Its home is empty as well: what lies in the worker's may open more than a check needs.
        given = {**environment, "HOME": folder, "TMPDIR": folder}
        with running(program, given, patience=limit_s, cwd=Path(folder)) as one:
            while one.status is None:
                one.rest(lambda: False)
            return _ended(one, limit_s)


def _ended(one: Running, limit_s: float) -> tuple[str, list[str]]:
    last = _last_line(one)
    said = f": {last}" if last else " and said nothing."
    if one.late:
        return "", [f"{one.name} did not end within {limit_s:g} s{f'; it said last: {last}' if last else '.'}"]
    if one.status:
        how = f"was ended by signal {-one.status}" if one.status < 0 else f"ended with {one.status}"
        return "", [f"{one.name} {how}{said}"]
    return last or f"{one.name} ended with 0{said}", []


def _last_line(one: Running) -> str:
    lines = [line.strip() for line in one.said(_LONGEST_LINE).splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    return "".join(sign if sign.isprintable() else " " for sign in last)


def _environment(release: Release, check: Check) -> dict[str, str]:
    return {
        "LOCKSTEP_SERVICE": release.service.name,
        "LOCKSTEP_RELEASE": release.release_id,
        "LOCKSTEP_COMMIT": release.commit,
        "LOCKSTEP_SCHEMA_REV": release.schema_rev,
        "LOCKSTEP_CHECK": check.key,
    }
