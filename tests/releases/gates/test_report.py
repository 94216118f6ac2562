"""A verdict as a build reads it: errors block, warnings tell, and what an unknown report may be meant for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from migrations_app.releases.gates.catalogue import read_catalogue
from migrations_app.releases.gates.judging import judge, nearest
from migrations_app.releases.gates.known import Exemption, Known, Report, Stranger
from migrations_app.releases.gates.report import GateReport, report_on
from tests.releases.gates.shapes import CHECKS, SMALL

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
PASSING = {key: Report("pass", "1", NOW, "it holds") for key in CHECKS}


def reported(known: Known, content: object = SMALL) -> GateReport:
    return report_on(judge(read_catalogue(content), known), known.strangers)


def test_what_holds_is_told_and_signatures_are_missed() -> None:
    found = reported(Known(NOW, reports=PASSING))
    assert [one.name for one in found.info] == ["build/assets", "build/manifest", "tests/unit"]
    assert [(one.name, one.state) for one in found.errors] == [
        ("build", "unsigned"), ("tests", "unsigned"), ("tests", "unsigned"),
    ]  # fmt: skip
    assert (found.mode, found.passed, found.warnings) == ("block", False, ())


def test_what_is_missing_is_an_error_and_an_exemption_a_warning() -> None:
    exempt = Exemption(1, "olga", "later", NOW, NOW + timedelta(hours=1), "ann")
    reports = {("build", "assets"): Report("fail", "1", NOW, "two files are missing")}
    found = reported(Known(NOW, reports=reports, exemptions={("build", "manifest"): exempt}))
    assert [(one.name, one.state) for one in found.errors if one.check] == [
        ("build/assets", "fail"), ("tests/unit", "missing"),
    ]  # fmt: skip
    assert [(one.name, one.state) for one in found.warnings] == [("build/manifest", "waived")]


def test_a_name_that_nobody_knows_is_a_warning() -> None:
    found = reported(Known(NOW, strangers=(Stranger("tests", "units", "ci/units", NOW),)))
    assert [(one.name, one.state) for one in found.warnings] == [("tests/units", "unknown")]


def test_a_catalogue_that_keeps_nothing_back_only_warns() -> None:
    check = {"key": "unit", "title": "The tests pass", "blocks": False}
    gate = {"key": "tests", "title": "Tests", "signatures": 0, "checks": [check]}
    found = reported(Known(NOW), {"gates": [gate]})
    assert (found.mode, found.passed, [one.name for one in found.warnings]) == ("warn", True, ["tests/unit"])


@pytest.mark.parametrize(
    ("name", "producer", "found"),
    [
        ("tests/units", "", "tests/unit"),
        ("test/unit", "", "tests/unit"),
        ("build/asset", "", "build/assets"),
        ("weather/sun", "ci/manifest", "build/manifest"),
        ("weather/sun", "ci/weather", ""),
        ("build/qqq", "", ""),
    ],
)
def test_it_finds_the_check_that_was_meant(name: str, producer: str, found: str) -> None:
    gate, _, check = name.partition("/")
    assert nearest(read_catalogue(SMALL), gate, check, producer) == found
