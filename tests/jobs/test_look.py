"""A look in a process that is killed: nothing of it is left, and another process looks again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from migrations_app.jobs import look, reconciler
from migrations_app.jobs.child import Child
from migrations_app.jobs.process import is_gone
from migrations_app.models import GateEvidence, GateLook
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.gates.looking import ask_look
from migrations_app.releases.registering import register_release
from tests.jobs.support import wait_until
from tests.runs.support import Fleet

CHECK = {"key": "agree", "title": "They agree", "kind": "command", "settings": {"command": "agree"}}
CATALOGUE = {"gates": [{"key": "units", "title": "Units", "checks": [CHECK]}]}
# It hangs the first time it is run.
PROGRAM = """#!/bin/sh
test -e "$0.pid" && echo all four agree && exit
sleep 300 & echo "$$ $!" > "$0.tmp"; mv "$0.tmp" "$0.pid"; wait
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_look_is_taken_again_and_its_program_is_gone(
    fleet: Fleet, settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCKSTEP_GUARD_SECONDS", "0.2")
    settings.LOCKSTEP_CHECKS_DIR = str(tmp_path)
    program, pids = tmp_path / "agree", tmp_path / "agree.pid"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    fleet.put("0001_a", "-- lockstep: schema_rev sc-1\nCREATE TABLE a ()")
    edit_catalogue(service=fleet.service, content=CATALOGUE, note="what workers look at", by=fleet.olga)
    release = register_release(service=fleet.service, release_id="1.0", schema_rev="sc-1", by=fleet.olga).release
    row = ask_look(release=release, gate="units", check="agree", by=fleet.olga)

    first, second = Child(), Child()
    wait_until(lambda: _looking(first) and pids.exists())
    row.refresh_from_db()
    os.kill(int(row.worker.rpartition(":")[2]), signal.SIGKILL)
    wait_until(lambda: all(is_gone(int(pid)) for pid in pids.read_text().split()))
    first.end()
    reconciler._release_what_dead_processes_hold()
    wait_until(lambda: _looking(second) and GateEvidence.objects.exists())
    second.end()
    assert GateEvidence.objects.get().summary == "all four agree"
    row = GateLook.objects.get()
    assert (row.attempt, row.error, row.ended_at is not None) == (2, "", True)


def _looking(child: Child) -> bool:
    """As the reconciler has it, turn after turn."""
    child.reap()
    child.start(look.execute_due)
    return True
