"""docs/gates.md explains each field of the catalogue, each kind with an example, each fact and each relation."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from migrations_app.releases.gates import kinds
from migrations_app.releases.gates.assertions import RELATIONS
from migrations_app.releases.gates.catalogue import Check, Gate, read_catalogue
from migrations_app.releases.gates.facts import FACTS
from migrations_app.statuses import CheckKind

PAGE = (Path(__file__).parents[3] / "docs" / "gates.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    found = re.search(rf"^### {title}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/gates.md has no section {title}"
    return found[1]


@pytest.mark.parametrize("name", [*CheckKind.values, *FACTS])
def test_each_kind_and_each_fact_has_a_section(name: str) -> None:
    assert len(section(name).strip()) > 40


@pytest.mark.parametrize("kind", CheckKind.values)
def test_each_example_can_be_used_as_it_stands(kind: str) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", section(kind), re.DOTALL)
    catalogue = read_catalogue({"gates": [{"key": "it", "title": "It", "checks": [json.loads(example)]}]})
    kinds.check_settings(catalogue)
    assert catalogue.gates[0].checks[0].kind == kind


def test_each_field_each_setting_and_each_relation_is_explained() -> None:
    told = set(re.findall(r"`([a-z_]+)`", PAGE))
    settings = {"url", "environment", "path", "method", "status", "headers", "assertions", "command", "sql"}
    wanted = {one.name for kind in (Gate, Check) for one in fields(kind)} | settings | set(RELATIONS)
    assert wanted | {"timeout_seconds", kinds.EVERY, "stage"} <= told
