"""What is written about metrics against what /metrics says: the page, the alert rules and the board."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from dashboard.health import looking
from tests.edge.metrics import families, fill

PROJECT = Path(__file__).parents[2]
PAGE, RULES = PROJECT / "docs" / "metrics.md", PROJECT / "deploy" / "prometheus" / "rules.yml"
BOARD = PROJECT / "deploy" / "grafana" / "lockstep.json"
PROMTOOL = "LOCKSTEP_TEST_PROMTOOL"
_ROW = re.compile(r"^\| `(lockstep_\w+)` \| (\w+) \|([^|]*)\| [^|]+ \| [^|]+ \|$", re.MULTILINE)
_NAME = re.compile(r"\blockstep_\w+")
_SELECTED = re.compile(r"\b(lockstep_\w+)\{([^}]*)\}")

Told = dict[str, tuple[str, frozenset[str]]]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(BOARD.read_text(encoding="utf-8"))["panels"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    yield from ((rule["alert"], rule["expr"]) for rule in rules())
    yield from ((panel["title"], one["expr"]) for panel in panels() for one in panel.get("targets", ()))


@pytest.fixture
def told(olga: User, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Each name with its type and labels, from a fleet in which each family has a sample."""
    fill(olga)
    monkeypatch.setattr(settings, "HEALTH_ALLOW", (ip_network("10.0.0.0/8"),))
    looking.forget()
    answer = Client(REMOTE_ADDR="10.2.3.4").get("/metrics").content.decode()
    looking.forget()
    found = {}
    for family in families(answer):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = (family.type, frozenset(label for label in family.samples[0].labels if label != "le"))
    return found


@pytest.mark.django_db
def test_page_rules_and_board_name_what_is_told(told: Told) -> None:
    rows = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    page = {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert page == told
    assert len(rows) == len(page)
    names = {
        *told,
        *(f"{name}_{end}" for name, (kind, _) in told.items() if kind == "histogram" for end in ("bucket",)),
    }
    for where, expression in expressions():
        assert set(_NAME.findall(expression)) <= names, where
        assert _NAME.search(expression), where
        for name, selected in _SELECTED.findall(expression):
            assert set(re.findall(r"(\w+)=", selected)) <= told[name][1], where


def test_each_alert_says_what_it_is_and_where_its_runbook_is() -> None:
    found = rules()
    assert {rule["alert"] for rule in found} >= {"LockstepDegraded", "LockstepRestartChurn", "LockstepPoolSaturated"}
    assert len({rule["alert"] for rule in found}) == len(found)
    page = PAGE.read_text(encoding="utf-8")
    for rule in found:
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]
        assert re.fullmatch(r"docs/runbook\.md#[a-z-]+", rule["annotations"]["runbook"]), rule["alert"]
    assert "`deploy/prometheus/rules.yml`" in page and "`deploy/grafana/lockstep.json`" in page


def test_the_panels_of_the_board_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())


VALUES = {"$labels.instance": "i", "$value": "3", "$value | humanizePercentage": "92%"}
CASES = """
rule_files: [{rules}]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {{series: 'lockstep_degraded{{job="l", instance="i", reason="redis_unavailable"}}', values: '1x10 0x20'}}
      - {{series: 'lockstep_degraded{{job="l", instance="i", reason="circuit_breaker_open"}}', values: '0x10 1x20'}}
      - {{series: 'lockstep_restarts_in_window{{job="l", instance="i"}}', values: '2x9 3x20'}}
      - {{series: 'lockstep_pool_saturation{{job="l", instance="i", process="p"}}', values: '0.8999 0.90 0.95 0.92x20'}}
    alert_rule_test:
      - {{eval_time: 285s, alertname: LockstepDegraded}}
      - eval_time: 300s
        alertname: LockstepDegraded
        exp_alerts: [{{exp_labels: {{job: l, instance: i, severity: warning}}, exp_annotations: {degraded}}}]
      - {{eval_time: 135s, alertname: LockstepRestartChurn}}
      - eval_time: 150s
        alertname: LockstepRestartChurn
        exp_alerts: [{{exp_labels: {{job: l, instance: i, severity: warning}}, exp_annotations: {churn}}}]
      - {{eval_time: 30s, alertname: LockstepPoolSaturated}}
      - eval_time: 45s
        alertname: LockstepPoolSaturated
        exp_alerts: [{{exp_labels: {{job: l, instance: i, severity: warning}}, exp_annotations: {pool}}}]
"""


def test_the_rules_fire_at_their_bounds(tmp_path: Path) -> None:
    promtool = _promtool()
    checked = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    said = {rule["alert"]: json.dumps(_filled(rule["annotations"])) for rule in rules()}
    cases = tmp_path / "cases.yml"
    cases.write_text(
        CASES.format(
            rules=json.dumps(str(RULES)),
            degraded=said["LockstepDegraded"],
            churn=said["LockstepRestartChurn"],
            pool=said["LockstepPoolSaturated"],
        )
    )
    fired = subprocess.run([promtool, "test", "rules", str(cases)], capture_output=True, text=True, check=False)
    assert fired.returncode == 0, fired.stdout + fired.stderr


def _promtool() -> str:
    """Ends the test without one: as a failure where a skip would go unseen."""
    found = os.environ.get(PROMTOOL) or shutil.which("promtool")
    if found:
        return found
    message = f"No promtool; install prometheus or name the program in {PROMTOOL}."
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def _filled(annotations: dict[str, str]) -> dict[str, str]:
    return {
        name: re.sub(r"\{\{ (.*?) \}\}", lambda found: VALUES.get(found[1], ""), text)
        for name, text in annotations.items()
    }
