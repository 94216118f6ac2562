"""Every address of the pages by every identity: who gets in, who is refused, who is sent to sign in."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import get_resolver, reverse

from migrations_app.models import Service
from migrations_app.permissions import VERBS
from tests.browser.client import signed_in
from tests.edge.cutovers import make_cutover, make_freeze, make_glass
from tests.edge.drills import held
from tests.edge.fleet import make_environment, make_run, make_service
from tests.edge.gates import make_hanging
from tests.edge.people import each_identity, identity, person
from tests.edge.rehearsals import make_consent, make_rehearsal
from tests.edge.releases import make_release

# name: method, verb, and what an allowed caller is answered
ADDRESSES: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "home": ("get", "view", (200,)),
    "home_live": ("get", "view", (200,)),
    "banners": ("get", "view", (200,)),
    "find": ("get", "view", (200,)),
    "find_json": ("get", "view", (200,)),
    "style": ("get", "view_style", (200,)),
    "matrix": ("get", "view", (200,)),
    "matrix_window": ("get", "view", (404,)),
    "matrix_diff": ("get", "view", (404,)),
    "matrix_schema": ("get", "view", (200,)),
    "matrix_schema_object": ("get", "view", (404,)),
    "matrix_contracts": ("get", "view", (200,)),
    "matrix_cell": ("get", "view", (404,)),
    "matrix_remark": ("get", "view", (404,)),
    "history": ("get", "view", (200,)),
    "history_compare": ("get", "view", (200,)),
    "history_export": ("get", "export", (200,)),
    "history_receipt": ("get", "view", (404,)),
    "runs": ("get", "view", (200,)),
    "run": ("get", "view", (200,)),
    "run_list_live": ("get", "view", (200,)),
    "run_histogram": ("get", "view", (200,)),
    "run_cancel_many": ("get", "control_run", (200,)),
    "run_live": ("get", "view", (200,)),
    "run_log": ("get", "view_log", (200,)),
    "run_log_tail": ("get", "view_log", (204,)),
    "run_log_raw": ("get", "view_log", (200,)),
    "run_rollback": ("get", "view", (200,)),
    "run_resolve": ("post", "resolve_run", (302,)),
    "run_control": ("post", "control_run", (302,)),
    "rehearsal_clones": ("get", "view", (200,)),
    "rehearsal": ("get", "view", (200,)),
    "rehearsal_live": ("get", "view", (200,)),
    "rehearsal_log": ("get", "view_log", (200,)),
    "rehearsal_export": ("get", "export", (200,)),
    "rehearsal_cancel": ("post", "rehearse", (302,)),
    "rollback_request": ("get", "view", (200,)),
    "rollback_grant": ("post", "grant_rollback", (302,)),
    "rollback_decline": ("post", "grant_rollback", (302,)),
    "rehearsals": ("get", "view", (200,)),
    "rehearsal_levers": ("get", "view", (200,)),
    "rehearsal_compare": ("get", "view", (200,)),
    "drills_export": ("get", "export", (200,)),
    "drill_start": ("get", "run_drill", (200,)),
    "drill": ("get", "view", (200,)),
    "drill_stopwatch": ("get", "view", (200,)),
    "drill_state": ("get", "view", (200,)),
    "drill_export": ("get", "export", (200,)),
    "drill_next": ("post", "run_drill", (302,)),
    "drill_verb": ("post", "run_drill", (302,)),
    "services": ("get", "view", (200,)),
    "service_add": ("get", "edit_fleet", (200,)),
    "service": ("get", "view", (200,)),
    "environment_add": ("get", "edit_fleet", (200,)),
    "environment": ("get", "view", (200,)),
    "environment_run": ("post", "create_run", (302,)),
    "environment_confirm": ("get", "create_run", (302,)),
    "environment_rollback": ("get", "create_run", (200,)),
    "environment_rehearse": ("post", "rehearse", (302,)),
    "environment_check": ("post", "control_run", (302,)),
    "environment_accept": ("post", "edit_fleet", (302,)),
    "environment_schema": ("get", "view", (200,)),
    "environment_schema_read": ("post", "read_schema", (302,)),
    "environment_schema_ignore": ("post", "decide_drift", (302,)),
    "environment_schema_accept": ("post", "decide_drift", (302,)),
    "environment_schema_policy": ("post", "decide_drift", (302,)),
    "environment_schema_watch": ("post", "edit_fleet", (302,)),
    "environment_schema_plan": ("get", "decide_drift", (302,)),
    "environment_schema_draft": ("get", "view_sql", (302,)),
    "environment_nodes": ("get", "view", (200,)),
    "environment_node_retire": ("post", "report_boot", (404,)),
    "environment_edit": ("get", "edit_fleet", (200,)),
    "environment_prove": ("post", "edit_fleet", (302,)),
    "environment_backup": ("post", "edit_fleet", (302,)),
    "environment_remove": ("post", "edit_fleet", (302,)),
    "releases": ("get", "view", (200,)),
    "release": ("get", "view", (200,)),
    "release_add": ("get", "register_release", (200,)),
    "release_bundle": ("get", "export", (200,)),
    "release_live": ("get", "view", (200,)),
    "release_places": ("get", "view", (200,)),
    "release_sign": ("post", "sign_gate", (409,)),
    "release_withdraw": ("get", "sign_gate", (200,)),
    "release_artefact": ("get", "view", (200,)),
    "release_evidence": ("get", "post_evidence", (200,)),
    "release_exemption": ("get", "ask_waiver", (200,)),
    "release_look": ("post", "post_evidence", (302,)),
    "exemption": ("get", "view", (200,)),
    "exemption_decide": ("post", "decide_waiver", (302,)),
    "cutover_plan": ("get", "view", (200,)),
    "cutover": ("get", "view", (200,)),
    "cutover_live": ("get", "view", (200,)),
    "cutover_verb": ("post", "break_glass", (302,)),
    "glass_ask": ("post", "break_glass", (422,)),
    "glass": ("get", "view", (200,)),
    "glass_answer": ("post", "break_glass", (422,)),
    "freezes": ("get", "view", (200,)),
    "freeze_lift": ("post", "edit_freezes", (302,)),
    "gates": ("get", "view", (200,)),
    "gates_edit": ("get", "edit_gates", (200,)),
    "revision_list": ("get", "view", (200,)),
    "revision_upload": ("get", "upload_revision", (200,)),
    "revision": ("get", "view", (404,)),
    "revisions": ("get", "view", (302,)),
    "audit": ("get", "view_audit", (200,)),
    "audit_export": ("get", "verify_audit", (404,)),
    "audit_verify": ("post", "verify_audit", (302,)),
    "workers": ("get", "view", (200,)),
    "workers_restart": ("post", "restart_web", (302,)),
    "tokens": ("get", "own_tokens", (200,)),
    "token_revoke": ("post", "own_tokens", (404,)),
}
# A form of every page: what a page does not ask for it does not read.
SENT = {"gate": "frontend-build"}
OPEN_TO_ALL = {"login", "logout", "theme"}
# What programs ask; test_health.py and test_metrics.py say who is told what.
HEALTH = {
    "health_json", "livez", "readyz", "health_deep", "system_status", "schema_health", "schema_deep",
    "schema_system-status", "metrics",
}  # fmt: skip


def page_names() -> set[str]:
    """Names of the pages' own patterns; the API, which is included, has its own test."""
    return {name for name in get_resolver().reverse_dict if isinstance(name, str)}


def test_every_page_has_a_row() -> None:
    assert page_names() - OPEN_TO_ALL - HEALTH == set(ADDRESSES)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ADDRESSES)
def test_who_may_open_what(name: str) -> None:
    path = _path(name, person("owner"))
    method, verb, answers = ADDRESSES[name]
    for who in each_identity():
        response = getattr(signed_in(identity(who)), method)(path, SENT if method == "post" else None)
        if who in ("anonymous", "disabled"):
            assert response.status_code == 302, who
            assert response["Location"].startswith("/login?next="), who
        elif who in VERBS[verb]:
            assert response.status_code in answers, who
            assert not response.get("Location", "").startswith("/login"), who
        else:
            assert response.status_code == 403, who


def _path(name: str, owner: User) -> str:
    service = make_service(owner)
    run = make_run(make_environment(service), owner)
    drill = held(run.environment, owner)
    words: dict[str, list[str | int]] = {
        "service": [service.name],
        "environment_add": [service.name],
        "revision_list": [service.name],
        "revision_upload": [service.name],
        "revision": [service.name, "0001_step"],
        "matrix_cell": [service.name, "0001_step", "orders-eu"],
        "matrix_remark": [service.name, "0001_step", "orders-eu"],
        "run_control": [run.pk, "pause"],
        "token_revoke": [1],
        "history_export": ["csv"],
        "run_list_live": [],
        "run_histogram": [],
        "run_cancel_many": [],
        "history_receipt": [1],
        "drills_export": ["csv"],
        "drill_start": [],
        "drill_export": [str(drill.uid), "json"],
        "drill_verb": [str(drill.uid), "abandon"],
    }
    if name.startswith("rehearsal"):
        bare = ("rehearsals", "rehearsal_clones", "rehearsal_levers", "rehearsal_compare")
        words[name] = [] if name in bare else [make_rehearsal(run.environment, owner).pk]
    if name.startswith("rollback"):
        words[name] = [make_consent(run.environment, owner).pk]
    if name.startswith("environment"):
        words.setdefault(name, [service.name, "orders-eu"])
    if name.startswith(("release_", "exemption")) or name == "release":
        words[name] = _release_words(name, service, owner)
    if name.startswith(("cutover", "glass", "freeze_")):
        words[name] = _cutover_words(name, service, owner)
    if name.startswith("drill"):
        words.setdefault(name, [str(drill.uid)])
    given: list[str | int] = words.get(name, [run.pk] if name.startswith("run_") or name == "run" else [])
    return reverse(name, args=given)


def _release_words(name: str, service: Service, owner: User) -> list[str | int]:
    release = make_release(service, owner, "1.0", "sc-1")
    signed, waiver, report = make_hanging(release, owner)
    words: dict[str, list[str | int]] = {
        "release_add": [],
        "release_withdraw": [service.name, signed.pk, "1.0"],
        "release_artefact": [service.name, report.pk, "1.0"],
        "release_evidence": [service.name, "frontend-build", "build", "1.0"],
        "release_exemption": [service.name, "frontend-build", "build", "1.0"],
        "release_look": [service.name, "frontend-build", "build", "1.0"],
        "exemption": [waiver.pk],
        "exemption_decide": [waiver.pk, "approve"],
    }
    return words.get(name, [service.name, "1.0"])


def _cutover_words(name: str, service: Service, owner: User) -> list[str | int]:
    release = make_release(service, owner, "1.0", "sc-1")
    if name in ("cutover_plan", "glass_ask"):
        return [service.name, "1.0"]
    if name == "freeze_lift":
        return [make_freeze(owner).pk]
    if name.startswith("glass"):
        return [make_glass(release, owner).pk, *(["decline"] if name == "glass_answer" else [])]
    halted = make_cutover(release, owner, person("second", "release-manager"), status="halted")
    return [halted.pk, *(["go-on"] if name == "cutover_verb" else [])]
