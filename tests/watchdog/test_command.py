"""`manage.py contract`, and the check that keeps programs from starting under a contract that does not hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from migrations_app.checks import runtime_contract
from migrations_app.watchdog import contract

TOLD = "GUNICORN_BIND is '8080'; it wants one address, HOST:PORT."


def test_it_prints_the_hash(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("contract")
    assert capsys.readouterr().out.strip() == contract.fingerprint(settings.RUNTIME_CONTRACT)
    assert runtime_contract(None) == []


@pytest.mark.parametrize(("enforced", "number"), [("true", "lockstep.E031"), ("false", "lockstep.W031")])
def test_what_does_not_hold_is_told_and_stops_the_start_where_it_is_enforced(
    settings: Any, capsys: pytest.CaptureFixture[str], enforced: str, number: str
) -> None:
    environ = {"GUNICORN_BIND": "8080", "RUNTIME_CONTRACT_ENFORCE": enforced}
    settings.RUNTIME_CONTRACT = contract.read(environ, Path("/opt/lockstep"))
    (found,) = runtime_contract(None)
    assert (found.msg, found.id) == (TOLD, number)
    if enforced == "true":
        with pytest.raises(SystemExit) as ended:
            call_command("contract", "--json")
        assert ended.value.code == 78
    else:
        call_command("contract", "--json")
    said = capsys.readouterr()
    assert said.err.strip() == TOLD
    assert json.loads(said.out)["errors"] == [TOLD]
