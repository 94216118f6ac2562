"""A running installation: all green as it is, and red for each fault in what it answers and in what it does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from migrations_app.releases.gates.own import (
    cache_observability,
    frontend_build,
    functional_parity,
    root_execution,
    runtime_resilience,
    unit_contract,
)
from migrations_app.releases.gates.own.looks import guarded, names
from migrations_app.releases.gates.own.seen import FAIL, UNKNOWN, Seen
from tests.releases.own_gates.running import Fault, Reply, Running

HEALTH, DEEP, STATUS = "/health", "/health/deep", "/admin/api/worker/status"
# The short tests are part of the suite anyway; test_files.py makes them fail.
LOOKED_AT = [name for name in names() if name != "regression/tests"]
POSTED = 19  # of 23: what Lockstep finds out itself is nobody's to report


def test_it_is_all_green_and_reports_so(up: Running) -> None:
    token = up.manage("token", "admin").stdout.strip()
    up.api("/services", token, {"name": "lockstep"})
    revision = {"up": "CREATE TABLE it (id int);", "schema_rev": "sc-1"}
    up.api("/services/lockstep/revisions/0001_it", token, revision, "PUT")
    up.api("/releases", token, {"service": "lockstep", "release_id": "1.0", "schema_rev": "sc-1"})
    only = [word for name in LOOKED_AT for word in ("--only", name)]
    done = up.manage("gates", "self", "--json", *only, "--post", "lockstep", "1.0", LOCKSTEP_TOKEN=token)
    told = json.loads(done.stdout)
    assert [one for one in told["checks"] if one["state"] != "pass"] == []
    assert (done.returncode, told["passed"]) == (0, True), done.stderr
    assert told["sentence"] == "All is green: each of the 23 checks holds on this installation."
    assert [f"{one['gate']}/{one['check']}" for one in told["checks"]] == LOOKED_AT
    assert sum(" is evidence " in line for line in told["posted"]) == POSTED


def spoil(path: str, change: Callable[[Reply], Reply]) -> Fault:
    return lambda asked, reply: change(reply) if asked.partition("?")[0] == path else reply


def rewritten(path: str, field: str, change: Callable[[dict[str, Any], str], None]) -> Fault:
    """`field` with the way to it; whoever is refused there is refused as before."""

    def rewrite(reply: Reply) -> Reply:
        if reply.status != 200:
            return reply
        document = json.loads(reply.body)
        *way, name = field.split(".")
        part: dict[str, Any] = document
        for step in way:
            part = part[step]
        assert name in part
        change(part, name)
        return Reply(reply.status, reply.headers, json.dumps(document).encode())

    return spoil(path, rewrite)


def lacking(path: str, field: str) -> Fault:
    return rewritten(path, field, lambda part, name: part.__delitem__(name))


def setting(path: str, field: str, value: object) -> Fault:
    return rewritten(path, field, lambda part, name: part.update({name: value}))


FAULTS: Mapping[str, tuple[Callable[..., Seen], Fault, str]] = {
    "an artefact is missing": (
        frontend_build.artefacts,
        spoil("/static/img/mark.svg", lambda reply: Reply(404, (), b"")),
        "/static/img/mark.svg is in the manifest, and the installation answers 404.",
    ),
    "an artefact is another": (
        frontend_build.artefacts,
        spoil("/static/js/poll.js", lambda reply: Reply(200, reply.headers, reply.body + b"\n")),
        "/static/js/poll.js is handed out with SHA-256 ",
    ),
    "a column of an export has another name": (
        functional_parity.export_headers,
        spoil("/history/export.csv", lambda reply: reply.saying(b"checksum", b"check_sum")),
        "/history/export.csv: the column checksum is missing; check_sum is no agreed column.",
    ),
    "an export is gone": (
        functional_parity.export_headers,
        spoil("/rehearsals/export.csv", lambda reply: Reply(404, (), b"")),
        "/rehearsals/export.csv answers 404; the export of drills is gone.",
    ),
    "a header is gone": (
        cache_observability.health,
        spoil(HEALTH, lambda reply: reply.without("cache-control")),
        "/health has the header cache-control as '' and not 'no-cache, no-store, must-revalidate'",
    ),
    "a field of the route cache is gone": (
        cache_observability.health,
        lacking(HEALTH, "route_cache.degraded"),
        "route_cache.degraded is missing from /health: who watches it sees nothing.",
    ),
    "a whole part is gone": (
        cache_observability.health,
        lacking(HEALTH, "route_cache"),
        "route_cache is missing from /health",
    ),
    "a field of the workers' status is gone": (
        unit_contract.watchdog_paths,
        lacking(STATUS, "data.resilience.policy_state.retry_budget"),
        "data.resilience.policy_state.retry_budget is missing from /admin/api/worker/status.",
    ),
    "a reason without a trouble": (
        cache_observability.health,
        setting(HEALTH, "degraded_reason", "db_pool_saturated"),
        "/health says healthy and degraded_reason 'db_pool_saturated', which contradict each other.",
    ),
    "a field of the deep answer is gone": (
        cache_observability.health_deep,
        lacking(DEEP, "checks.route_cache.l1_hit_rate"),
        "checks.route_cache.l1_hit_rate is missing from /health/deep",
    ),
    "strangers are told everything": (
        cache_observability.health_deep,
        spoil(DEEP, lambda reply: Reply(200, reply.headers, reply.body)),
        "/health/deep answers 200 to somebody who is not signed in, and not 401 or 403.",
    ),
    "a field of the pool is gone": (
        cache_observability.pool_telemetry,
        lacking(HEALTH, "database_pool.runtime.pool_timeout"),
        "database_pool.runtime.pool_timeout is missing from /health",
    ),
    "a field of a derived index is gone": (
        cache_observability.derived_indexes,
        lacking(HEALTH, "resource_cache.derived_index.age_seconds"),
        "resource_cache.derived_index.age_seconds is missing from /health",
    ),
    "health is gone": (
        cache_observability.health,
        spoil(HEALTH, lambda reply: Reply(404, (), b"")),
        "/health answers 404: this installation has no such address.",
    ),
    "the admin's side looks for other files": (
        unit_contract.watchdog_paths,
        setting(STATUS, "data.runtime_contract.watchdog.flag_path", "/run/other/restart.flag"),
        "The admin's side has flag_path as /run/other/restart.flag, and the contract of the pages ",
    ),
    "what runs breaks the contract": (
        unit_contract.same_runtime,
        setting(HEALTH, "runtime_contract.errors", ["GUNICORN_BIND is 'x'."]),
        "What runs here breaks the contract: GUNICORN_BIND is 'x'.",
    ),
    "there are no errors to look at": (
        unit_contract.same_runtime,
        setting(HEALTH, "runtime_contract.errors", None),
        "runtime_contract.errors of /health is null, and not a list.",
    ),
    "the watchdog's interval is gone": (
        unit_contract.watchdog_paths,
        lacking(HEALTH, "runtime_contract.contract.watchdog_check_interval"),
        "runtime_contract.contract.watchdog_check_interval is missing from /health.",
    ),
    "the watchdog's interval is nothing": (
        unit_contract.watchdog_paths,
        setting(HEALTH, "runtime_contract.contract.watchdog_check_interval", None),
        "runtime_contract.contract.watchdog_check_interval of /health is null, and not a number.",
    ),
    "the status is gone": (
        cache_observability.pool_telemetry,
        lacking(HEALTH, "status"),
        "status is missing from /health: who watches it sees nothing.",
    ),
    "the answer is a list": (
        cache_observability.pool_telemetry,
        spoil(HEALTH, lambda reply: Reply(reply.status, reply.headers, b"[]")),
        "The answer of /health is [], and not an object.",
    ),
    "the derived indexes are a list": (
        cache_observability.derived_indexes,
        setting(HEALTH, "cache.derived_search_index", ["revisions"]),
        'cache.derived_search_index of /health is ["revisions"], and not an object.',
    ),
}  # fmt: skip


def through(up: Running, look: Callable[..., Seen]) -> Seen:
    """As `gates self` would see it: what a look cannot find is a state as well."""
    return guarded(look, up.spoiled)


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_in_an_answer_is_named(spoiled: Running, what: str) -> None:
    look, fault, told = FAULTS[what]
    spoiled.proxy.fault = fault
    seen = through(spoiled, look)
    assert seen.state == FAIL
    assert told in seen.sentence


def test_the_command_says_it_in_a_line_and_ends_with_1(spoiled: Running) -> None:
    _, spoiled.proxy.fault, told = FAULTS["a header is gone"]
    done = spoiled.manage("gates", "self", "--base", spoiled.spoiled.base, "--only", "cache-observability")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"4.1 fail    cache-observability/health: {told}")
    assert [line[:8] for line in lines[1:]] == ["4.2 pass", "4.3 pass", "4.4 pass"]
    assert done.stderr.strip().endswith("Not green: of 4 checks 1 does not hold; 3 hold.")
    assert done.returncode == 1


def test_nothing_is_lost_of_what_was_seen_when_it_cannot_be_posted(spoiled: Running) -> None:
    spoiled.proxy.fault = spoil("/api/v1/releases", lambda reply: Reply(200, reply.headers, b'{"releases": [{}]}'))
    only = ("--only", "documentation/readme", "--post", "lockstep", "1.0")
    done = spoiled.manage(
        "gates", "self", "--base", spoiled.spoiled.base, "--json", *only, LOCKSTEP_TOKEN=spoiled.cookie
    )
    told = json.loads(done.stdout)
    assert [one["state"] for one in told["checks"]] == ["pass"]
    assert told["posted"][0].startswith("id is missing from releases of http://")
    assert (done.returncode, done.stderr.strip()) == (1, f"CommandError: {told['posted'][0]}")


def test_a_script_that_comes_again_at_once_is_named(spoiled: Running) -> None:
    def rash(path: str, reply: Reply) -> Reply:
        if not path.startswith("/static/js/lockstep."):
            return reply
        often = reply.saying(b"DB_POOL_EXHAUSTED: 0", b"DB_POOL_EXHAUSTED: 3")
        return often.saying(b"window.lockstep.ask(link.href", b"fetch(link.href")

    spoiled.proxy.fault = rash
    seen = through(spoiled, runtime_resilience.client_retries)
    assert seen.state == FAIL
    assert "does not give up at once when the pool is full" in seen.sentence
    assert "dialog.js asks the server past the rules for waiting." in seen.sentence


def test_a_process_in_another_folder_is_named(spoiled: Running, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=subprocess.PIPE) as elsewhere:
        try:
            spoiled.proxy.fault = setting(STATUS, "data.worker_pid", elsewhere.pid)
            seen = through(spoiled, root_execution.root_only)
        finally:
            elsewhere.kill()
    assert seen.state == FAIL
    assert seen.sentence.startswith(f"The web process {elsewhere.pid} runs in {tmp_path}, and the project is ")


def test_pools_that_nobody_published_are_unknown(spoiled: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_observability, "PATIENCE_S", 0.0)
    spoiled.proxy.fault = setting(HEALTH, "database_pool.state", None)
    seen = through(spoiled, cache_observability.pool_telemetry)
    assert seen.state == UNKNOWN
    assert seen.sentence.startswith("/health tells no state of the pools")


def test_a_breaker_that_does_not_open_is_named(up: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIRCUIT_BREAKER_ENABLED", "false")
    seen = through(up, runtime_resilience.breaker)
    assert seen.state == FAIL
    assert "the circuit never opened: requests got 503 DB_CONNECTION_FAILED after 2" in seen.sentence
    assert seen.sentence.endswith("Is CIRCUIT_BREAKER_ENABLED off?")
