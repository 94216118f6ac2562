"""Faults in files: what browsers load, unit files, tests and documents. The sentence names what is wrong and where."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrations_app.releases.gates.own import documentation, frontend_build, regression, unit_contract, units
from migrations_app.releases.gates.own.installation import Installation
from migrations_app.releases.gates.own.looks import guarded
from migrations_app.releases.gates.own.seen import FAIL, PASS, UNKNOWN, Seen
from tests.releases.own_gates.copies import NOWHERE, ROOT, change, copy_of

HERE = Installation(ROOT, NOWHERE)
OUT = "for itself; take it out of Environment= and set it in /etc/lockstep/lockstep.env."


def test_a_missing_file_of_the_script_is_named(tmp_path: Path) -> None:
    place = copy_of(tmp_path / "copy", "dashboard", "static")
    (place.root / "static" / "js" / "poll.js").unlink()
    seen = frontend_build.build(place)
    assert seen.state == FAIL
    assert seen.sentence.startswith(f"What browsers load cannot be made from {place.root}: ")
    assert "static/js/poll.js, which dashboard/bundles.py names, is missing." in seen.sentence
    assert frontend_build.artefacts(place).state == UNKNOWN


def test_the_unit_files_agree_as_they_are() -> None:
    found = units.read(ROOT / units.FOLDER)
    assert list(units.disagreements(found)) == []
    assert units.common_file(found) == "/etc/lockstep/lockstep.env"


@pytest.mark.parametrize(
    ("unit", "old", "new", "told"),
    [
        (
            "lockstep-watchdog.service",
            "EnvironmentFile=/etc/lockstep/lockstep.env",
            "EnvironmentFile=/etc/lockstep/other.env",
            "lockstep-watchdog.service has the common EnvironmentFile as /etc/lockstep/other.env, and "
            "lockstep.service has /etc/lockstep/lockstep.env.",
        ),
        (
            "lockstep-watchdog.service",
            "/opt/lockstep/.venv/bin/python",
            "/usr/bin/python3",
            "lockstep-watchdog.service has the interpreter as /usr/bin/python3, and lockstep.service has "
            "/opt/lockstep/.venv/bin/python.",
        ),
        (
            "lockstep-worker@.service",
            "WorkingDirectory=/opt/lockstep",
            "WorkingDirectory=/opt/old",
            "lockstep-worker@.service has WorkingDirectory as /opt/old, and lockstep.service has /opt/lockstep.",
        ),
        (
            "lockstep.service",
            "[Service]",
            "[Service]\nEnvironment=WATCHDOG_PID_FILE=/tmp/gunicorn.pid",
            f"lockstep.service sets WATCHDOG_PID_FILE {OUT}",
        ),
        (
            "lockstep-worker@.service",
            "[Service]",
            "[Service]\nEnvironment='LOCKSTEP_DATABASE_URL=postgresql://me:a b=@x/y' z LOCKSTEP_DATA_DIR=/elsewhere",
            f"lockstep-worker@.service sets LOCKSTEP_DATABASE_URL {OUT} "
            f"lockstep-worker@.service sets LOCKSTEP_DATA_DIR {OUT}",
        ),
        (
            "lockstep-worker@.service",
            "[Service]",
            '[Service]\nEnvironment="LOCKSTEP_REDIS_URL=redis://:pass word=@other/0',
            f"lockstep-worker@.service sets LOCKSTEP_REDIS_URL {OUT}",
        ),
        (
            "lockstep-scheduler.service",
            "[Service]",
            "[Service]\nEnvironment=LOCKSTEP_WEB_POOL=1",
            f"lockstep-scheduler.service sets LOCKSTEP_WEB_POOL {OUT}",
        ),
        (
            "lockstep-worker@.service",
            "[Service]",
            "[Service]\nEnvironmentFile=-/etc/other.env",
            "lockstep-worker@.service also reads /etc/other.env; take EnvironmentFile=-/etc/other.env out and set in "
            "/etc/lockstep/lockstep.env what it holds.",
        ),
        (
            "lockstep-worker@.service",
            "[Service]",
            "[Service]\nUnsetEnvironment=LOCKSTEP_TLS",
            "lockstep-worker@.service takes away LOCKSTEP_TLS for itself; take it out of UnsetEnvironment= and set it "
            "in /etc/lockstep/lockstep.env.",
        ),
        (
            "lockstep-watchdog.service",
            "TimeoutStopSec=10",
            "EnvironmentFile=\nExecStart=\n",
            "lockstep-watchdog.service has the common EnvironmentFile as nothing, and lockstep.service has "
            "/etc/lockstep/lockstep.env. lockstep-watchdog.service has the interpreter as nothing, and "
            "lockstep.service has /opt/lockstep/.venv/bin/python.",
        ),
    ],
)
def test_a_unit_that_disagrees_is_named(tmp_path: Path, unit: str, old: str, new: str, told: str) -> None:
    place = copy_of(tmp_path / "copy", "deploy")
    change(place, f"deploy/systemd/{unit}", old, new)
    seen = unit_contract.same_runtime(place)
    assert (seen.state, seen.sentence) == (FAIL, told)


@pytest.mark.parametrize(
    ("look", "name"),
    [
        (unit_contract.same_runtime, "deploy/systemd/lockstep.service"),
        (documentation.readme, "README.md"),
        (documentation.operator_fields, "docs/health-fields.md"),
    ],
)
def test_a_file_that_is_no_utf_8_is_named(tmp_path: Path, look: Callable[[Installation], Seen], name: str) -> None:
    place = copy_of(tmp_path / "copy", name.partition("/")[0])
    (place.root / name).write_bytes(b"# Gr\xfc\xdfe\n")
    told = f"{place.root / name} is not UTF-8 (its byte 5 is none), so it could not be read. Save it as UTF-8."
    assert guarded(look, place) == Seen(FAIL, told)


def test_a_unit_that_is_missing_is_named(tmp_path: Path) -> None:
    place = copy_of(tmp_path / "copy", "deploy")
    (place.root / "deploy" / "systemd" / "lockstep-watchdog.service").unlink()
    assert unit_contract.same_runtime(place).sentence == (
        "The unit file deploy/systemd/lockstep-watchdog.service is missing."
    )


def test_a_failing_test_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = copy_of(tmp_path / "copy", "tests")
    assert all((ROOT / path).is_file() for path in regression.SMOKE)
    monkeypatch.setattr(regression, "SMOKE", ("tests/releases/gates/test_assertions.py",))
    with (place.root / "tests" / "releases" / "gates" / "test_assertions.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef test_it_fails() -> None:\n    assert False\n")
    seen = regression.tests(place)
    assert seen.state == FAIL
    assert seen.sentence.startswith(
        "1 of the short tests fails: tests/releases/gates/test_assertions.py::test_it_fails"
    )


KEPT, SKIPPED = "tests/releases/gates/test_assertions.py", "tests/watchdog/test_policy.py"


def test_tests_that_are_skipped_have_not_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = copy_of(tmp_path / "copy", "tests")
    monkeypatch.setattr(regression, "SMOKE", (KEPT, SKIPPED))
    with (place.root / SKIPPED).open("a", encoding="utf-8") as file:
        file.write("\n\nimport pytest\n\npytestmark = pytest.mark.skip\n")
    seen = regression.tests(place)
    assert seen.state == FAIL
    told = rf"[1-9]\d+ short tests passed, and none of {SKIPPED}: nothing is tested there\. Take out what skips "
    assert re.match(told, seen.sentence), seen.sentence


@dataclass(frozen=True)
class Ended(Installation):
    """The tests end with a code, and these lines."""

    code: int = 0
    lines: tuple[str, ...] = ()

    def run(self, *arguments: str, **how: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(arguments, self.code, "\n".join(self.lines), "")


@pytest.mark.parametrize(
    ("code", "lines", "state", "told"),
    [
        (
            0,
            (f"PASSED {KEPT}::a[x y]", f"PASSED {SKIPPED}::b"),
            PASS,
            "2 short tests of 2 files passed, and none failed.",
        ),
        (0, ("25 skipped in 0.1s",), FAIL, f"0 short tests passed, and none of {KEPT} and {SKIPPED}: nothing is "),
        (5, ("no tests ran in 0.1s",), FAIL, f"0 short tests passed, and none of {KEPT} and {SKIPPED}: nothing is "),
        (1, (f"PASSED {KEPT}::a", f"FAILED {SKIPPED}::b - x"), FAIL, f"1 of the short tests fails: {SKIPPED}::b."),
        (3, ("INTERNALERROR",), UNKNOWN, "The short tests did not run to their end: INTERNALERROR."),
    ],
)
def test_what_a_run_of_the_tests_comes_to(
    monkeypatch: pytest.MonkeyPatch, code: int, lines: tuple[str, ...], state: str, told: str
) -> None:
    monkeypatch.setattr(regression, "SMOKE", (KEPT, SKIPPED))
    seen = regression.tests(Ended(ROOT, NOWHERE, code=code, lines=lines))
    assert seen.state == state
    assert seen.sentence.startswith(told)


def test_without_what_tests_need_it_is_unknown_and_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regression, "NEEDS", ("pytest", "no_such_package"))
    seen = regression.tests(HERE)
    assert seen.state == UNKNOWN
    assert "no_such_package is not here. Install what tests need with `sh .ci/install dev`" in seen.sentence
    monkeypatch.undo()
    monkeypatch.setattr(regression, "SMOKE", ("tests/none.py",))
    assert regression.tests(HERE).state == UNKNOWN


def test_the_documents_are_those_of_this_version() -> None:
    for look in (documentation.readme, documentation.operator_fields, documentation.architecture):
        seen = look(HERE)
        assert seen.state == PASS, seen.sentence


@pytest.mark.parametrize(
    ("look", "document", "old", "told"),
    [
        ("operator_fields", "docs/health-fields.md", "`is_fresh`", "explain resource_cache.derived_index.is_fresh."),
        ("operator_fields", "docs/health-fields.md", "`pool_critical`", "explain resilience.alerts.pool_critical."),
        ("readme", "docs/settings.md", "CIRCUIT_BREAKER_ENABLED", "the setting CIRCUIT_BREAKER_ENABLED."),
        ("readme", "README.md", "verify_audit", "the command manage.py verify_audit."),
        ("readme", "README.md", "docs/gates.md", "the page docs/gates.md."),
        ("architecture", "docs/architecture.md", "  outbound/", "draws no room outbound."),
    ],
)
def test_what_a_document_lacks_is_named(tmp_path: Path, look: str, document: str, old: str, told: str) -> None:
    place = copy_of(tmp_path / "copy", "docs")
    change(place, document, old, "something")
    seen = getattr(documentation, look)(place)
    assert seen.state == FAIL
    assert document in seen.sentence
    assert told in seen.sentence


def test_what_a_document_names_beyond_the_code_is_named_too(tmp_path: Path) -> None:
    place = copy_of(tmp_path / "copy", "docs")
    change(place, "docs/architecture.md", "  outbound/", "  attic/                  \n  outbound/")
    change(place, "README.md", "`manage.py drill`", "`manage.py dance`, `manage.py drill`")
    assert documentation.architecture(place).sentence == "docs/architecture.md draws a room attic that is not there."
    assert "README.md names `manage.py dance`, and there is no such command." in documentation.readme(place).sentence


def test_tests_know_nothing_of_what_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCKSTEP_DATABASE_URL", "WATCHDOG_PID_FILE", "LOCKSTEP_TOKEN", "LOCKSTEP_TEST_REDIS_URL"):
        monkeypatch.setenv(name, "in use")
    names = "import os; print(sorted(name for name, value in os.environ.items() if value == 'in use'))"
    assert HERE.run("-c", names, apart=True).stdout.strip() == "['LOCKSTEP_TEST_REDIS_URL']"
    assert "LOCKSTEP_TOKEN" not in HERE.run("-c", names).stdout
