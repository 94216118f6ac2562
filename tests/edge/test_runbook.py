"""The runbook has a paragraph for every reason, action and alert of the code, and names nothing that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import Resolver404, resolve

from migrations_app.alerts import rules
from migrations_app.health import judging

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
OF_MACHINES = ("/etc/", "/opt/", "/var/", "/run/", "/usr/")
PARTS = ("**Means**", "**One sees**", "**First**", "**Do not**", "**Over**")

EVERYTHING = [
    judging.Facts(database, redis, circuit, full, degraded, churn, cooldown)
    for database in (judging.OK, judging.ERROR)
    for redis in (judging.OK, judging.ERROR)
    for circuit in (judging.CLOSED, judging.OPEN)
    for full in (None, 1.0)
    for degraded in (False, True)
    for churn in (False, True)
    for cooldown in (False, True)
]
REASONS = {reason for facts in EVERYTHING if (reason := judging.reason_of(facts))}
ACTIONS = {asked(facts).action for facts in EVERYTHING for asked in (judging.recommend, judging.recommend_restart)}
# `over_limit` is a rule without a subject: whoever uses it has a paragraph of their own.
ALERTS = {
    name
    for name, rule in vars(rules).items()
    if getattr(rule, "__annotations__", {}).get("return") == "Reading" and name != "over_limit"
}


def paragraph(name: str) -> str:
    found = re.search(rf"^## {re.escape(name)}\n((?:(?!^#+ ).*\n?)*)", RUNBOOK, re.MULTILINE)
    assert found, f"docs/runbook.md has no heading {name}"
    return found[1]


def test_the_code_has_the_names_that_people_know() -> None:
    assert len(REASONS) == 5
    assert {"none", "restart_available", "observe_and_retry"} < ACTIONS
    assert len(ALERTS) == 4


@pytest.mark.parametrize("name", sorted(REASONS | ALERTS | {rules.Standing.NO_DATA.value, "restart_blocked"}))
def test_each_reason_and_each_alert_has_a_whole_paragraph(name: str) -> None:
    """Its anchor is its name, so that a page can lead there."""
    told = paragraph(name)
    assert [part for part in PARTS if part not in told] == []


def test_each_action_and_each_momentary_alert_is_explained() -> None:
    assert {name for name in ACTIONS if not re.search(rf"^\| `{name}` \| \S", RUNBOOK, re.MULTILINE)} == set()
    momentary = {field.name for field in fields(judging.Alerts)}
    assert {name for name in momentary if f"`{name}`" not in paragraph("Other names")} == set()


def documents() -> Iterable[tuple[str, str]]:
    return [(name, (ROOT / "docs" / name).read_text()) for name in ("runbook.md", "install.md")]


def test_they_name_no_command_address_anchor_or_file_that_is_not_there() -> None:
    broken = []
    for name, text in documents():
        broken += [f"{name}: {what}" for what in (*_commands(text), *_addresses(text), *_links(text))]
    assert broken == []


def _commands(text: str) -> list[str]:
    called = re.findall(r"(?:manage\.py|lockstep-manage) ([a-z_]+)", text)
    known, words = get_commands(), {"is", "with", "does"}
    return [f"no command {verb}" for verb in called if verb not in known and verb not in words]


def _addresses(text: str) -> list[str]:
    quoted = re.findall(r"`(/[a-z][^`\s]*)`", text) + re.findall(r"https?://[^/\s`]+(/[a-z][\w/.-]*)", text)
    return [f"no address {path}" for path in quoted if not path.startswith(OF_MACHINES) and not _resolves(path)]


def _resolves(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def _links(text: str) -> list[str]:
    broken = []
    for target, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", text):
        file = ROOT / "docs" / target if target else None
        if file is not None and not file.is_file():
            broken.append(f"no file {target}")
            continue
        there = text if file is None else file.read_text()
        anchors = {_anchor(heading) for heading in re.findall(r"^#+ (.*)$", there, re.MULTILINE)}
        if anchor and anchor not in anchors:
            broken.append(f"no heading {target}#{anchor}")
    return broken


def _anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
