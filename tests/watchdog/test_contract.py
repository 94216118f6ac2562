"""What all programs of one installation have to agree about."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrations_app.watchdog import contract
from migrations_app.watchdog.contract import BadSetting

ROOT = Path("/opt/lockstep")
GOOD = {
    "WATCHDOG_RUNTIME_DIR": "/srv/run",
    "WATCHDOG_STATE_FILE": "/srv/lib/state.json",
    "GUNICORN_BIND": "0.0.0.0:8080",
}


def test_without_settings_it_is_the_packaged_installation() -> None:
    assert contract.read({}, ROOT).as_json() == {
        "version": "1",
        "project_root": "/opt/lockstep",
        "gunicorn_bind": "127.0.0.1:8000",
        "validation_enforced": True,
        "watchdog_runtime_dir": "/run/lockstep",
        "watchdog_restart_flag": "/run/lockstep/lockstep_restart.flag",
        "watchdog_pid_file": "/run/lockstep/gunicorn.pid",
        "watchdog_state_file": "/var/lib/lockstep/restart_state.json",
        "watchdog_check_interval": 5,
    }
    assert contract.errors(contract.read({}, ROOT)) == ()
    assert contract.errors(contract.read(GOOD, ROOT)) == ()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("WATCHDOG_RUNTIME_DIR", "run", "WATCHDOG_RUNTIME_DIR is 'run'; it wants a whole path, from the root."),
        (
            "WATCHDOG_RESTART_FLAG",
            "/srv/run/below/flag",
            "WATCHDOG_RESTART_FLAG is '/srv/run/below/flag'; "
            "it has to lie directly in the runtime directory '/srv/run'.",
        ),
        (
            "WATCHDOG_PID_FILE",
            "/tmp/gunicorn.pid",
            "WATCHDOG_PID_FILE is '/tmp/gunicorn.pid'; it has to lie directly in the runtime directory '/srv/run'.",
        ),
        (
            "WATCHDOG_PID_FILE",
            "/srv/run/lockstep_restart.flag",
            "WATCHDOG_RESTART_FLAG and WATCHDOG_PID_FILE name the same file.",
        ),
        ("WATCHDOG_STATE_FILE", "state", "WATCHDOG_STATE_FILE is 'state'; it wants a whole path, from the root."),
        ("GUNICORN_BIND", "8080", "GUNICORN_BIND is '8080'; it wants one address, HOST:PORT."),
    ],
)
def test_what_does_not_hold_is_told(name: str, value: str, told: str) -> None:
    assert contract.errors(contract.read(GOOD | {name: value}, ROOT)) == (told,)


def test_its_hash_differs_with_anything_in_it() -> None:
    plain = contract.fingerprint(contract.read(GOOD, ROOT))
    assert plain == contract.fingerprint(contract.read({**GOOD, "UNRELATED": "1"}, ROOT))
    for name, value in (
        ("GUNICORN_BIND", "0.0.0.0:8081"),
        ("WATCHDOG_STATE_FILE", "/srv/lib/other.json"),
        ("WATCHDOG_CHECK_INTERVAL", "2"),
        ("RUNTIME_CONTRACT_ENFORCE", "false"),
    ):
        assert contract.fingerprint(contract.read(GOOD | {name: value}, ROOT)) != plain, name
    assert contract.fingerprint(contract.read(GOOD, Path("/elsewhere"))) != plain


def test_what_is_no_number_or_switch_is_named() -> None:
    with pytest.raises(BadSetting, match=r"WATCHDOG_CHECK_INTERVAL is '-1'; it wants a number above zero\."):
        contract.read({"WATCHDOG_CHECK_INTERVAL": "-1"}, ROOT)
    with pytest.raises(BadSetting, match=r"RUNTIME_CONTRACT_ENFORCE is 'maybe'; it wants true or false\."):
        contract.read({"RUNTIME_CONTRACT_ENFORCE": "maybe"}, ROOT)
