"""Rolling back on production: refused until it was rehearsed, granted by two people where it loses, exact otherwise."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import psycopg
import pytest

from migrations_app.admission.conditions import NotAdmitted
from migrations_app.admission.consent import Wanted, ask_consent, grant_consent
from migrations_app.admission.resuming import resume_run
from migrations_app.embedded.postgres import Server
from migrations_app.fleet.drift import look_now
from migrations_app.jobs import apply, rehearse
from migrations_app.models import Environment, Rehearsal, Run
from migrations_app.rehearsals.actions import request_rehearsal
from migrations_app.runs import actions
from tests.runs.support import Fleet, person

pytestmark = pytest.mark.django_db(transaction=True)
Dump = Callable[[Fleet], str]


@pytest.fixture
def prod(fleet: Fleet) -> Fleet:
    Environment.objects.filter(pk=fleet.environment.pk).update(stage="prod")
    fleet.environment.refresh_from_db()
    fleet.put("0001_a", "CREATE TABLE a (id int PRIMARY KEY, note text DEFAULT 'x')", down="DROP TABLE a")
    fleet.apply()
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        conn.execute("INSERT INTO a SELECT n, 'note ' || n FROM generate_series(1, 100) n")
    return fleet


@pytest.fixture
def dump(pg18: Server) -> Dump:
    """Schema and rows as pg_dump tells them, without Lockstep's own."""

    def told(fleet: Fleet) -> str:
        argv = [str(pg18.bin_dir / "pg_dump"), "--exclude-schema=lockstep", "--restrict-key=same", fleet.url]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    return told


def rehearsed(fleet: Fleet, **more: str) -> Rehearsal:
    fleet.environment.refresh_from_db()
    rehearsal = request_rehearsal(environment=fleet.environment, by=fleet.olga, **more)
    rehearse.execute(rehearsal.pk)
    rehearsal.refresh_from_db()
    return rehearsal


def codes(fleet: Fleet) -> set[str]:
    with pytest.raises(NotAdmitted) as refused:
        fleet.start("down")
    return {condition.code for condition in refused.value.conditions}


def carried_out(run: Run) -> str:
    apply.execute(run.pk)
    run.refresh_from_db()
    return run.status


def test_a_rehearsed_revision_is_rolled_back_to_what_was_there(prod: Fleet, dump: Dump) -> None:
    prod.put(
        "0002_b",
        "ALTER TABLE a ADD size int DEFAULT 7; CREATE INDEX a_note ON a (note)",
        down="DROP INDEX a_note; ALTER TABLE a DROP size",
    )
    before = dump(prod)
    assert rehearsed(prod).tally == {"reversible": 1}
    prod.apply()
    assert dump(prod) != before
    assert codes(prod) == {"rehearsal_stale"}  # what was written into the column since is not in it
    assert rehearsed(prod, direction="down").tally == {"reversible": 1}
    assert carried_out(prod.start("down")) == "rolled_back"
    assert dump(prod) == before


def test_one_that_was_never_rehearsed_is_refused(prod: Fleet, dump: Dump) -> None:
    prod.put("0002_b", "ALTER TABLE a ADD size int", down="ALTER TABLE a DROP size")
    prod.apply()
    assert codes(prod) == {"not_rehearsed"}
    assert rehearsed(prod, direction="down").tally == {"reversible": 1}
    assert carried_out(prod.start("down")) == "rolled_back"


def test_what_was_written_since_it_was_applied_is_lost_only_by_two(prod: Fleet) -> None:
    prod.put("0002_b", "ALTER TABLE a ADD size int", down="ALTER TABLE a DROP size")
    assert rehearsed(prod).tally == {"reversible": 1}
    prod.apply()
    with psycopg.connect(prod.url, autocommit=True) as conn:
        conn.execute("UPDATE a SET size = 3 WHERE id < 30")
    assert codes(prod) == {"rehearsal_stale"}
    found = rehearsed(prod, direction="down")
    assert found.tally == {"lossy": 1}
    assert "29" in found.parts.get().losses[0]["sentence"]
    assert codes(prod) == {"lossy_rollback"}


def test_what_was_written_since_the_way_back_was_rehearsed_is_lost_only_by_two(prod: Fleet) -> None:
    prod.put("0002_b", "ALTER TABLE a ADD size int DEFAULT 1, ADD hue text", down="ALTER TABLE a DROP hue, DROP size")
    prod.put("0003_c", 'CREATE TABLE "C %s ü" ()', down='DROP TABLE "C %s ü"')
    prod.apply()
    assert rehearsed(prod, direction="down", to="0001_a").tally == {"reversible": 2}
    with psycopg.connect(prod.url, autocommit=True) as conn:
        conn.execute('INSERT INTO "C %s ü" DEFAULT VALUES')
        assert codes(prod) == {"filled_since"}
        conn.execute('DELETE FROM "C %s ü"')
        assert carried_out(prod.start("down")) == "rolled_back"
        conn.execute("UPDATE a SET size = 3 WHERE id < 30")
    assert codes(prod) == {"filled_since"}
    assert rehearsed(prod, direction="down").tally == {"lossy": 1}
    assert codes(prod) == {"lossy_rollback"}


def test_a_held_one_asks_again_what_was_written_meanwhile(prod: Fleet) -> None:
    prod.put("0002_b", "ALTER TABLE a ADD hue text", down="ALTER TABLE a DROP hue")
    prod.apply()
    assert rehearsed(prod, direction="down").tally == {"reversible": 1}
    held = actions.pause(prod.start("down"), by=prod.olga)
    with psycopg.connect(prod.url, autocommit=True) as conn:
        conn.execute("UPDATE a SET hue = 'red' WHERE id < 30")
        with pytest.raises(NotAdmitted) as refusal:
            resume_run(held, by=prod.olga)
        assert [one.code for one in refusal.value.conditions] == ["filled_since"]
        conn.execute("UPDATE a SET hue = NULL")
    resume_run(held, by=prod.olga)
    assert carried_out(held) == "rolled_back"


def test_one_whose_schema_was_changed_since_is_refused(prod: Fleet) -> None:
    prod.put("0002_b", "ALTER TABLE a ADD size int", down="ALTER TABLE a DROP size")
    rehearsed(prod)
    prod.apply()
    with psycopg.connect(prod.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE by_hand ()")
    look_now(environment=prod.environment, by=prod.olga)
    assert codes(prod) == {"rehearsal_stale", "drift"}


def test_a_lossy_one_takes_a_second_person(prod: Fleet) -> None:
    prod.put("0002_b", "UPDATE a SET note = upper(note)", down="UPDATE a SET note = lower(note) WHERE id < 90")
    assert rehearsed(prod).tally == {"lossy": 1}
    prod.apply()
    assert codes(prod) == {"rehearsal_stale", "lossy_rollback"}
    rehearsed(prod, direction="down")
    assert codes(prod) == {"lossy_rollback"}  # the rehearsal of before still knows what does not come back
    wanted = Wanted(prod.environment, "", typed=prod.environment.name)
    consent = ask_consent(wanted, by=prod.olga, reason="The letters were wrong.")
    run = grant_consent(consent, by=person("oscar", "on-call"))
    assert carried_out(run) == "rolled_back"
    assert run.requested_by == prod.olga
    assert prod.value("SELECT note FROM a WHERE id = 95") == "NOTE 95"


def test_forecasts_are_kept_with_the_steps_of_a_run(prod: Fleet) -> None:
    prod.put("0002_b", "CREATE INDEX a_note ON a (note)", down="DROP INDEX a_note")
    rehearsed(prod)
    run = prod.apply()
    assert [step.forecast_ms is not None and step.forecast_ms > 0 for step in run.steps.all()] == [True]


def test_a_lock_that_is_forecast_to_be_held_too_long_is_refused(prod: Fleet) -> None:
    hold = "DO $$ BEGIN LOCK TABLE a IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(1.2); END $$"
    prod.put("0002_b", hold, down="SELECT 1")
    Environment.objects.filter(pk=prod.environment.pk).update(lock_budget_seconds=1)
    rehearsed(prod)
    with pytest.raises(NotAdmitted) as refused:
        prod.start()
    (condition,) = refused.value.conditions
    assert condition.code == "lock_over_budget"
    assert "ACCESS EXCLUSIVE on public.a" in condition.sentence
    Environment.objects.filter(pk=prod.environment.pk).update(lock_budget_seconds=60)
    assert prod.start().status == "queued"
