"""Drills over HTTP: from preparing to the result, the press that is counted once, and refusals in the envelope."""

from __future__ import annotations

import pytest

from migrations_app.models import Environment
from tests.edge.caller import Caller, read, refusal
from tests.edge.drills import held

pytestmark = pytest.mark.django_db

NEW = {"service": "orders", "environment": "orders-eu", "scenario": "schema", "trigger_reason": "before the cutover"}


def start(caller: Caller, **more: object) -> str:
    made = read(caller.post("/drills", NEW | more), 201)
    assert (made["status"], made["lap"], made["started_at"]) == ("ready", 0, None)
    return f"/drills/{made['uid']}"


def test_a_drill_is_held_by_a_script(caller: Caller, environment: Environment) -> None:
    at = start(caller, planned_seconds=[5, 5, 5, 5, 5], commands=["a", "b", "c", "d", "e"], limit_seconds=60)
    for lap in range(6):
        pressed = read(caller.post(f"{at}/next", {"lap": lap}))
        assert (pressed["counted"], pressed["lap"]) == (True, lap + 1)
    again = read(caller.post(f"{at}/next", {"lap": 5}))
    assert (again["counted"], again["lap"]) == (False, 6)
    read(caller.post(f"{at}/checks", {"side": "after", "kind": "smoke", "name": "signing in", "passed": True}), 201)
    read(caller.post(f"{at}/interventions", {"seconds": 61, "what": "restarted it", "note": "it hung"}), 201)
    read(caller.put(f"{at}/steps/2", {"commands": "b", "output": "done"}))
    noted = read(caller.post(f"{at}/follow-ups", {"what": "shorten it", "owner": "ann", "due": "2026-12-24"}), 201)
    read(caller.post(f"{at}/follow-ups/{noted['follow_ups'][0]['id']}/done"))
    read(caller.post(f"{at}/runbook", {"link": "https://wiki.example.com/7"}))
    ended = read(caller.post(f"{at}/finish", {"issues_found": "none"}))
    assert (ended["result"], ended["reasons"]) == ("with_interventions", ["A person had to step in once."])
    told = read(caller.get(at))
    assert told["steps"][1]["output"] == "done"
    assert told["follow_ups"][0]["done_at"] is not None
    assert (told["follow_ups"][0]["due"], told["runbook_updated"]) == ("2026-12-24", True)
    assert told["recovery_ms"] < 60_000


def test_refusals_tell_what_is_in_the_way(caller: Caller, environment: Environment) -> None:
    at = start(caller)
    assert refusal(caller.post("/drills", NEW), 409)["code"] == "drill_open"
    assert refusal(caller.post(f"{at}/next", {"lap": 3}), 409)["code"] == "lap_passed"
    assert refusal(caller.post(f"{at}/finish", {}), 409)["code"] == "drill_is_ready"
    assert refusal(caller.post(f"{at}/health", {"side": "before"}), 409)["code"] == "no_health_url"
    late = refusal(caller.post(f"{at}/interventions", {"seconds": 61, "what": "restarted it"}), 422)
    assert late["code"] == "note_missing"
    assert late["details"]["not_done"] == "Nothing was recorded."
    assert refusal(caller.post(f"{at}/runbook", {"link": "javascript:alert(1)"}), 422)["code"] == "bad_link"
    assert refusal(caller.put(f"{at}/steps/6", {"output": "x"}), 422)["code"] == "out_of_range"
    for body in ({}, {"lap": "0"}, {"lap": -1}, {"lap": 0, "pause": "yes"}, {"lap": 0, "step": 1}):
        refusal(caller.post(f"{at}/next", body), 422)
    refusal(caller.post("/drills", NEW | {"scenario": "volcano"}), 422)
    refusal(caller.post("/drills", NEW | {"environment": "none"}), 404)
    refusal(caller.get("/drills/7"), 404)
    refusal(caller.get("/drills/00000000-0000-0000-0000-000000000000"), 404)
    read(caller.post(f"{at}/abandon", {"reason": "called away"}))
    assert refusal(caller.post(f"{at}/next", {"lap": 0}), 409)["code"] == "drill_is_abandoned"


def test_the_list_is_narrowed_and_goes_on(caller: Caller, environment: Environment) -> None:
    made = [held(environment, environment.created_by, scenario=name) for name in ("schema", "data", "schema")]
    first = read(caller.get("/drills", {"limit": 2}))
    assert [row["uid"] for row in first["drills"]] == [str(made[2].uid), str(made[1].uid)]
    rest = read(caller.get("/drills", {"limit": 2, "after": first["next"]}))
    assert ([row["uid"] for row in rest["drills"]], rest["next"]) == ([str(made[0].uid)], None)
    assert len(read(caller.get("/drills", {"scenario": "schema", "result": "passed"}))["drills"]) == 2
    assert read(caller.get("/drills", {"service": "none"}))["drills"] == []
    refusal(caller.get("/drills", {"result": "splendid"}), 422)
    refusal(caller.get("/drills", {"after": "zz"}), 400)
