"""A program of the administrator's: what it is given, what is kept of what it says, and that nothing of it is left."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path

import pytest

from migrations_app.embedded import session
from migrations_app.embedded.session import members
from migrations_app.jobs.process import is_gone
from migrations_app.models import Release
from migrations_app.releases.gates.kinds import command, longest_s
from tests.releases.gates.kinds.checks import a_check, look, told
from tests.waiting import until

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(settings, tmp_path: Path) -> Path:
    settings.LOCKSTEP_CHECKS_DIR = str(tmp_path)
    return tmp_path / "units"


def written(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_one_that_ends_with_0_passes_with_its_last_line(release: Release, program: Path) -> None:
    written(program, "echo looking; echo; echo ' four units agree '; echo")
    found = look(release, "command", command="units")
    assert told(found) == ("pass", "four units agree")
    assert found.producer.startswith("units on ")
    assert found.detail == {"command": "units", "sha256": hashlib.sha256(program.read_bytes()).hexdigest()}


def test_one_that_says_nothing_passes_too(release: Release, program: Path) -> None:
    written(program, ":")
    assert told(look(release, "command", command="units")) == ("pass", "units ended with 0 and said nothing.")


def test_one_that_ends_otherwise_fails_with_its_last_line(release: Release, program: Path) -> None:
    written(program, "echo web and watchdog disagree >&2; exit 3")
    found = look(release, "command", command="units")
    assert told(found) == ("fail", "units ended with 3: web and watchdog disagree")
    written(program, "kill -KILL $$")
    assert told(look(release, "command", command="units")) == ("fail", "units was ended by signal 9 and said nothing.")


def test_it_gets_the_release_and_nothing_of_lockstep_s_own(release: Release, program: Path) -> None:
    written(program, 'env > "$0.env"; pwd > "$0.pwd"; ls -A > "$0.ls"; touch left')
    look(release, "command", command="units")
    given = dict(line.split("=", 1) for line in program.with_name("units.env").read_text().splitlines())
    assert given["LOCKSTEP_SERVICE"] == "orders"
    assert given["LOCKSTEP_RELEASE"] == "2.0"
    assert given["LOCKSTEP_SCHEMA_REV"] == "sc-10"
    assert given["LOCKSTEP_CHECK"] == "it"
    assert given["LOCKSTEP_COMMIT"] == ""
    folder = program.with_name("units.pwd").read_text().strip()
    assert given["HOME"] == given["TMPDIR"] == folder
    assert {name for name in given if name.startswith("LOCKSTEP_")} == {
        "LOCKSTEP_SERVICE", "LOCKSTEP_RELEASE", "LOCKSTEP_COMMIT", "LOCKSTEP_SCHEMA_REV", "LOCKSTEP_CHECK",
    }  # fmt: skip
    assert given.keys() - {"PATH", "LANG", "TZ", "PWD", "HOME", "TMPDIR", "SHLVL", "OLDPWD", "_"} <= {
        name for name in given if name.startswith("LOCKSTEP_")
    }
    # Fresh, and gone afterwards.
    assert program.with_name("units.ls").read_text() == ""
    assert not Path(folder).exists()


def test_one_that_does_not_end_is_ended_with_all_it_started(release: Release, program: Path) -> None:
    written(program, 'sleep 60 & echo "$$ $!" > "$0.pids"; echo waiting; wait')
    found = look(release, "command", command="units", timeout_seconds=3)
    assert told(found) == ("fail", "units did not end within 3 s; it said last: waiting")
    pids = [int(pid) for pid in program.with_name("units.pids").read_text().split()]
    until(lambda: all(map(is_gone, pids)), what="the end of both")
    assert not members({pids[0]})


def test_one_that_ends_with_0_as_it_is_ended_has_not_passed(
    release: Release, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that waits goes on when its child is gone, and it may be quicker than the signal."""

    def kill_children(leaders: set[int]) -> None:
        for pid in members(leaders) - leaders:
            os.kill(pid, signal.SIGKILL)

    monkeypatch.setattr(session, "kill", kill_children)
    written(program, "sleep 60 & echo waiting; wait")
    found = look(release, "command", command="units", timeout_seconds=1)
    assert told(found) == ("fail", "units did not end within 1 s; it said last: waiting")


def test_what_it_says_last_is_bounded_and_can_be_printed(release: Release, program: Path) -> None:
    written(program, "head -c 9000 /dev/zero | tr '\\0' 'x'; printf '\\033[31mred'")
    summary = look(release, "command", command="units").summary
    assert len(summary) <= 2000
    assert summary.endswith("xx [31mred")


def test_what_is_not_there_fails_with_what_would_help(release: Release, program: Path, settings) -> None:
    found = look(release, "command", command="units")
    assert found.status == "fail" and "There is no program units in LOCKSTEP_CHECKS_DIR" in found.summary
    program.write_text("not for execution")
    assert "or no right to execute it" in look(release, "command", command="units").summary
    settings.LOCKSTEP_CHECKS_DIR = ""
    assert "has no LOCKSTEP_CHECKS_DIR, so it runs nothing." in look(release, "command", command="units").summary


def test_a_link_s_target_counts_and_no_folder_does(release: Release, program: Path) -> None:
    written(program, "echo fine")
    (program.parent / "other").symlink_to(program)
    (program.parent / "folder").mkdir()
    assert told(look(release, "command", command="other")) == ("pass", "fine")
    assert look(release, "command", command="folder").status == "fail"


def test_a_look_at_it_ends_soon_after_its_limit(release: Release) -> None:
    assert longest_s(release, a_check("command", command="units")) == 315
    assert longest_s(release, a_check("command", command="units", timeout_seconds=10)) == 25


def test_a_name_is_taken_alone() -> None:
    assert command.problem({"command": "units-agree.sh", "timeout_seconds": 900, "every_minutes": 60}) == ""


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({}, "needs the setting command"),
        ({"command": "../units"}, "without a path or arguments"),
        ({"command": "/bin/sh"}, "without a path or arguments"),
        ({"command": "units --all"}, "without a path or arguments"),
        ({"command": "-x"}, "without a path or arguments"),
        ({"command": ".."}, "without a path or arguments"),
        ({"command": f"units{os.linesep}"}, "without a path or arguments"),
        ({"command": "units", "arguments": ["--all"]}, "has the setting 'arguments', which means nothing here"),
        ({"command": "units", "timeout_seconds": 901}, "it is a number above 0, and at most 900."),
    ],
)
def test_anything_else_is_refused_by_its_mistake(wrong: dict[str, object], why: str) -> None:
    assert why in command.problem(wrong)
