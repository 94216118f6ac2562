"""The application is asked between up and down, on the clone and with its address alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs.support import Fleet

from .test_carrying import rehearsed, verdicts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def check(settings, tmp_path: Path, fleet: Fleet) -> Path:
    settings.LOCKSTEP_SMOKE_DIR = str(tmp_path)
    fleet.put("0001_a", "CREATE TABLE a (id int)", down="DROP TABLE a")
    return tmp_path / "shop"


def written(check: Path, script: str) -> None:
    check.write_text(f"#!/bin/sh\n{script}\n")
    check.chmod(0o755)


def test_one_that_is_content_lets_the_rehearsal_go_on(fleet: Fleet, check: Path) -> None:
    written(check, 'env > "$0.env"')
    rehearsal = rehearsed(fleet)
    assert verdicts(rehearsal) == {"0001_a": "reversible"}
    assert "smoke" in [stage["name"] for stage in rehearsal.parts.get().stages]
    told = check.with_name("shop.env").read_text()
    assert rehearsal.clone is not None and f"dbname={rehearsal.clone['name']}" in told
    assert "LOCKSTEP_SECRET_KEY" not in told and "LOCKSTEP_DATABASE_URL" not in told


def test_one_that_is_not_ends_it_with_its_own_words(fleet: Fleet, check: Path) -> None:
    written(check, "echo the front page is broken; exit 3")
    rehearsal = rehearsed(fleet)
    assert verdicts(rehearsal) == {"0001_a": "failed"}
    assert rehearsal.error is not None
    assert "The smoke check shop ended with 3: the front page is broken" in rehearsal.error["message"]


def test_without_a_program_nothing_is_asked(fleet: Fleet, check: Path) -> None:
    check.write_text("not for execution")
    assert "smoke" not in [stage["name"] for stage in rehearsed(fleet).parts.get().stages]
