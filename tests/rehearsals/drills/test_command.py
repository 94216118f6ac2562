"""`manage.py drill`: the verbs of the pages from a terminal, with the same permission and the same refusals."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from migrations_app.models import Drill, Environment
from migrations_app.permissions import VIEWER
from tests.edge.drills import held
from tests.edge.people import person


def drill(*words: str) -> str:
    out = io.StringIO()
    call_command("drill", *words, stdout=out)
    return out.getvalue()


def test_a_drill_is_held_from_a_terminal(environment: Environment, olga: User) -> None:
    told = drill("start", "orders", "orders-eu", "schema", "--reason", "before the cutover", "--as", "olga")
    uid = str(Drill.objects.get().uid)
    assert f"drill {uid} on orders/orders-eu, schema bug: running" in told
    assert "1 Simulate the failure: active, 0 s of 1 min" in told
    drill("next", uid, "--as", "olga", "--pause")
    drill("next", uid, "--as", "olga")
    drill("next", uid, "--as", "olga", "--lap", "2")
    assert Drill.objects.get().lap == 3
    for _ in range(4):
        drill("next", uid, "--as", "olga")
    drill("check", uid, "after", "smoke", "the first page opens", "--as", "olga")
    drill("intervention", uid, "5", "restarted the proxy", "--as", "olga")
    drill("step", uid, "2", "--output", "stopped", "--as", "olga")
    drill("follow-up", uid, "shorten step 2", "--owner", "ann", "--due", "2026-12-24", "--as", "olga")
    drill("follow-up-done", uid, str(Drill.objects.get().follow_ups.get().pk), "--as", "olga")
    drill("runbook", uid, "https://wiki.example.com/7", "--as", "olga")
    assert "passed with interventions" in drill("finish", uid, "--issues", "none", "--as", "olga")
    assert "recovery 0 s, limit 15 min" in drill("show", uid)
    found = Drill.objects.get()
    assert (found.issues_found, found.runbook_updated) == ("none", True)
    assert found.steps.get(number=2).commands.startswith("manage.py plan")


def test_refusals_are_one_sentence_and_exit_code_1(environment: Environment, olga: User) -> None:
    person("vic", VIEWER)
    start = ("start", "orders", "orders-eu", "schema", "--reason", "x")
    with pytest.raises(CommandError, match="vic may not do this"):
        drill(*start, "--as", "vic")
    drill(*start, "--stopped", "--as", "olga")
    uid = str(Drill.objects.get().uid)
    assert Drill.objects.get().status == "ready"
    with pytest.raises(CommandError, match="A drill on orders-eu is under way already"):
        drill(*start, "--as", "olga")
    with pytest.raises(CommandError, match="cannot be finished"):
        drill("finish", uid, "--as", "olga")
    with pytest.raises(CommandError, match="has no health address"):
        drill("health", uid, "before", "--as", "olga")
    with pytest.raises(CommandError, match="There is no drill"):
        drill("show", "00000000-0000-0000-0000-000000000000")
    assert "abandoned" in drill("abandon", uid, "--reason", "called away", "--as", "olga")


def test_it_exports_one_and_all_that_fit(environment: Environment, olga: User) -> None:
    one = held(environment, olga)
    held(environment, olga, scenario="data", result="failed")
    told = json.loads(drill("export", str(one.uid), "--as", "olga"))
    assert (told["uid"], told["recovery_s"], len(told["steps"])) == (str(one.uid), 90.0, 5)
    rows = list(csv.DictReader(io.StringIO(drill("export", "--format", "csv", "--result", "failed", "--as", "olga"))))
    assert [row["scenario"] for row in rows] == ["data"]
    assert [row["scenario"] for row in json.loads(drill("export", "--as", "olga"))] == ["data", "schema"]
