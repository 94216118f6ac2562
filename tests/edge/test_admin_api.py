"""Asking how restarts of the web processes stand, and asking for one: fields, decisions, audit entries, who may."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from dashboard import tokens
from migrations_app.health.restart_audit import note_outcomes
from migrations_app.models import AuditEntry
from migrations_app.permissions import ADMIN
from migrations_app.watchdog import contract, files
from migrations_app.watchdog.entry import Entry, Flag
from migrations_app.watchdog.loop import Watchdog
from tests.edge.caller import read, refusal
from tests.edge.people import each_identity, identity, person

pytestmark = pytest.mark.django_db

STATUS, RESTART = "/admin/api/worker/status", "/admin/api/worker/restart"
OVERRIDE = {"manual_override": True, "override_acknowledged": True, "override_reason": "it leaks memory"}


@pytest.fixture
def agreed(tmp_path: Path, settings: Any) -> contract.RuntimeContract:
    """Files of this test's own."""
    environ = {"WATCHDOG_RUNTIME_DIR": str(tmp_path), "WATCHDOG_STATE_FILE": str(tmp_path / "state.json")}
    settings.RUNTIME_CONTRACT = contract.read(environ, Path(settings.BASE_DIR))
    return settings.RUNTIME_CONTRACT  # type: ignore[no-any-return]


@pytest.fixture
def ada() -> User:
    return person("ada", ADMIN)


class Script:
    """Ada's, with a token."""

    def __init__(self, user: User) -> None:
        text = tokens.create(user=user, by=None).text
        self._client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {text}"})

    def get(self, path: str = STATUS) -> HttpResponse:
        return self._client.get(path)  # type: ignore[return-value]

    def restart(self, body: object = None) -> HttpResponse:
        raw = b"" if body is None else json.dumps(body).encode()
        return self._client.post(RESTART, raw, content_type="application/json")  # type: ignore[return-value]


@pytest.fixture
def script(ada: User, agreed: contract.RuntimeContract) -> Script:
    return Script(ada)


def executed(agreed: contract.RuntimeContract, *ages: float) -> None:
    for age in sorted(ages, reverse=True):
        at = datetime.now(UTC) - timedelta(seconds=age)
        done = Entry("ada", at, "10.0.0.7", at, True, "manual", "executed", "signal_sighup")
        files.append_entry(Path(agreed.watchdog_state_file), done)


def waiting(agreed: contract.RuntimeContract) -> Flag | None:
    return files.read_flag(Path(agreed.watchdog_restart_flag))


def audited() -> list[dict[str, Any]]:
    found = AuditEntry.objects.filter(data__object="web").order_by("seq")
    return [{"action": entry.data["action"], "actor": entry.data["actor"], **entry.data["after"]} for entry in found]


def test_where_nothing_happened_a_restart_is_possible(script: Script, agreed: contract.RuntimeContract) -> None:
    told = read(script.get())
    assert set(told) == {"success", "data", "meta"}
    data = told["data"]
    assert list(data) == [
        "worker_pid", "worker_start_time", "runtime_contract", "cooldown", "resilience", "restart_history",
        "last_restart",
    ]  # fmt: skip
    assert data["runtime_contract"] == {
        "version": "1",
        "fingerprint": contract.fingerprint(agreed),
        "validation": {"valid": True, "errors": []},
        "single_port_bind": "127.0.0.1:8000",
        "watchdog": {
            "runtime_dir": agreed.watchdog_runtime_dir,
            "flag_path": agreed.watchdog_restart_flag,
            "pid_path": agreed.watchdog_pid_file,
            "state_path": agreed.watchdog_state_file,
            "flag_exists": False,
            "pid_exists": False,
            "state_exists": False,
        },
    }
    assert data["cooldown"] == {"active": False, "remaining_seconds": 0}
    assert data["resilience"]["recovery_recommendation"] == {
        "action": "restart_available",
        "reason": "no_churn_or_cooldown",
    }
    assert data["resilience"]["alerts"] == {"restart_churn_exceeded": False, "restart_blocked": False}
    assert data["resilience"]["policy_state"]["state"] == "allowed"
    assert (data["restart_history"], data["last_restart"]) == ([], None)


def test_a_restart_that_is_accepted_waits_for_the_watchdog(script: Script, agreed: contract.RuntimeContract) -> None:
    data = read(script.restart())["data"]
    assert data["decision"] == {
        "allowed": True,
        "decision": "allowed",
        "reason": "policy_allows_manual_restart",
        "requires_acknowledgement": False,
    }
    assert (data["requested_by"], data["single_port_bind"]) == ("ada", "127.0.0.1:8000")
    assert data["watchdog"]["flag_path"] == agreed.watchdog_restart_flag
    flag = waiting(agreed)
    assert flag is not None
    assert (flag.user, flag.ip, flag.source, flag.runtime_contract_version) == ("ada", "127.0.0.1", "manual", "1")
    assert flag.timestamp.isoformat() == data["requested_at"]
    status = read(script.get())["data"]
    assert status["cooldown"]["active"]
    assert status["runtime_contract"]["watchdog"]["flag_exists"]
    assert status["resilience"]["recovery_recommendation"]["action"] == "wait_for_restart_cooldown"
    assert [(one["action"], one["actor"], one["decision"]) for one in audited()] == [
        ("restart_request_accepted", "ada", "allowed")
    ]


@pytest.mark.parametrize(
    ("ages", "body", "status", "code", "decision"),
    [
        ((), {"manual_override": True}, 400, "RESTART_OVERRIDE_REASON_REQUIRED", None),
        ((), {"manual_override": "yes"}, 400, "VALIDATION_ERROR", None),
        ((), {"force": True}, 400, "VALIDATION_ERROR", None),
        ((100, 200, 300), {}, 409, "RESTART_POLICY_BLOCKED", "manual_override_required"),
        (
            (100, 200, 300),
            OVERRIDE | {"override_acknowledged": False},
            409,
            "RESTART_POLICY_BLOCKED",
            "manual_override_required",
        ),
        ((100, 200, 300), OVERRIDE, 200, "", "operator_override_acknowledged"),
        ((100, 200, 601), {}, 200, "", "policy_allows_manual_restart"),
        ((10,), {}, 429, "TOO_MANY_REQUESTS", "cooldown_override_required"),
        ((10,), OVERRIDE, 200, "", "operator_override_acknowledged"),
    ],
)
def test_what_is_decided_is_answered_written_and_audited(
    script: Script,
    agreed: contract.RuntimeContract,
    ages: tuple[float, ...],
    body: dict[str, object],
    status: int,
    code: str,
    decision: str | None,
) -> None:
    executed(agreed, *ages)
    answer = script.restart(body)
    if status == 200:
        assert read(answer)["data"]["decision"]["reason"] == decision
    else:
        error = refusal(answer, status)
        assert (error["code"], "not restarted" in error["message"] or code == "VALIDATION_ERROR") == (code, True)
    assert answer.has_header("Retry-After") == (status == 429)
    if status == 429:
        assert 45 <= int(answer["Retry-After"]) <= 50
        assert json.loads(answer.content)["meta"]["retry_after_seconds"] == int(answer["Retry-After"])
    assert (waiting(agreed) is not None) == (status == 200)
    action = "restart_request_accepted" if status == 200 else "restart_request_blocked"
    assert [(one["action"], one["decision_reason"]) for one in audited()] == ([(action, decision)] if decision else [])


def test_a_refusal_does_not_make_the_cooldown_longer(script: Script, agreed: contract.RuntimeContract) -> None:
    assert script.restart().status_code == 200
    first = waiting(agreed)
    assert [script.restart().status_code for _ in range(3)] == [429] * 3
    assert waiting(agreed) == first


def test_the_whole_way_through_the_watchdog_into_the_audit_log(
    script: Script, agreed: contract.RuntimeContract, settings: Any
) -> None:
    assert script.restart().status_code == 200
    dog = Watchdog(agreed, settings.RESTART_RULES, lambda _: None)
    assert dog.look() is not None
    assert script.restart(OVERRIDE).status_code == 200
    Path(agreed.watchdog_restart_flag).write_text("{")
    dog.look()
    assert (note_outcomes(), note_outcomes()) == (2, 0)
    assert [(one["action"], one["actor"]) for one in audited()] == [
        ("restart_request_accepted", "ada"),
        ("restart_request_accepted", "ada"),
        ("restart_failed", "system"),
        ("restart_failed", "system"),
    ]
    assert audited()[2]["requested_by"] == "ada"
    data = read(script.get())["data"]
    assert data["last_restart"]["success"] is False
    assert [entry["decision_reason"] for entry in data["restart_history"]] == [
        "flag_unreadable",
        "gunicorn_pid_unavailable",
    ]


def test_without_the_folder_nothing_is_restarted_and_that_is_audited(
    script: Script, tmp_path: Path, settings: Any
) -> None:
    environ = {"WATCHDOG_RUNTIME_DIR": str(tmp_path / "none"), "WATCHDOG_STATE_FILE": str(tmp_path / "state.json")}
    settings.RUNTIME_CONTRACT = contract.read(environ, Path(settings.BASE_DIR))
    error = refusal(script.restart(), 500)
    assert error["code"] == "RESTART_FAILED"
    assert "No such file or directory" in error["message"]
    assert [one["action"] for one in audited()] == ["restart_failed"]


def test_administrators_alone_ask_and_look(agreed: contract.RuntimeContract) -> None:
    for who in each_identity():
        user = identity(who)
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        if user is not None and user.is_active:
            client = Script(user)._client
        expected = 401 if who in ("anonymous", "disabled") else 200 if who == ADMIN else 403
        assert client.get(STATUS).status_code == expected, who
        assert client.post(RESTART, b"", content_type="application/json").status_code == expected, who
        Path(agreed.watchdog_restart_flag).unlink(missing_ok=True)


def test_a_session_needs_the_csrf_token(ada: User, agreed: contract.RuntimeContract) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    assert refusal(client.post(RESTART, b"", content_type="application/json"), 403)["code"] == "FORBIDDEN"  # type: ignore[arg-type]
    client.get("/tokens")
    token = client.cookies["lockstep_csrf"].value
    answer = client.post(RESTART, b"", content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 200
    assert client.get(RESTART).status_code == 405
    assert refusal(client.get("/admin/api/nothing"), 404)["code"] == "NOT_FOUND"  # type: ignore[arg-type]
