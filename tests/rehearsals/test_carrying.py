"""From the request to each revision's verdict, on a real target and real clones."""

from __future__ import annotations

import psycopg
import pytest

from migrations_app.engine.errors import Refused
from migrations_app.jobs import rehearse
from migrations_app.models import AuditEntry, Rehearsal, RehearsalLine
from migrations_app.rehearsals.actions import cancel_rehearsal, request_rehearsal
from migrations_app.rehearsals.words import rehearsal_sentence
from migrations_app.statuses import RehearsalStatus
from tests.runs.support import Fleet

from .conftest import Clones

pytestmark = pytest.mark.django_db(transaction=True)


def ask(fleet: Fleet, **more: object) -> Rehearsal:
    fleet.environment.refresh_from_db()
    return request_rehearsal(environment=fleet.environment, by=fleet.olga, **more)  # type: ignore[arg-type]


def rehearsed(fleet: Fleet, **more: object) -> Rehearsal:
    rehearsal = ask(fleet, **more)
    rehearse.execute(rehearsal.pk)
    rehearsal.refresh_from_db()
    return rehearsal


def verdicts(rehearsal: Rehearsal) -> dict[str, str]:
    return dict(rehearsal.parts.values_list("revision_id", "verdict"))


def test_a_whole_chain_gets_its_verdicts_and_leaves_nothing(fleet: Fleet, clones: Clones) -> None:
    fleet.put("0001_a", "CREATE TABLE a (id int PRIMARY KEY, note text)", down="DROP TABLE a")
    fleet.apply()
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        conn.execute("INSERT INTO a SELECT n, 'note ' || n FROM generate_series(1, 50) n")
    fleet.put(
        "0002_b", "ALTER TABLE a ADD size int", down="ALTER TABLE a DROP size", verify="SELECT count(*) = 50 FROM a"
    )
    fleet.put("0003_c", "ALTER TABLE a DROP note", down="ALTER TABLE a ADD note text")
    fleet.put("0004_d", "CREATE INDEX CONCURRENTLY a_size ON a (size)")
    rehearsal = rehearsed(fleet)
    assert verdicts(rehearsal) == {"0002_b": "reversible", "0003_c": "lossy", "0004_d": "irreversible"}
    assert rehearsal.status == RehearsalStatus.DONE
    assert rehearsal_sentence(rehearsal) == "Of 3 revisions, 1 irreversible, 1 lossy, 1 reversible."
    lost = rehearsal.parts.get(revision_id="0003_c").losses
    assert "50 values of public.a.note are NULL now." in [loss["sentence"] for loss in lost]
    assert clones() == ()
    assert (
        fleet.value(
            "SELECT string_agg(column_name, ' ' ORDER BY column_name) FROM information_schema.columns "
            "WHERE table_name = 'a'"
        )
        == "id note"
    )
    assert AuditEntry.objects.order_by("-seq").values_list("data__action", flat=True)[0] == "rehearsal.done"


def test_each_part_is_bound_to_what_it_was_tried_with(fleet: Fleet) -> None:
    fleet.put("0001_a", "CREATE TABLE a (id int)", down="DROP TABLE a")
    fleet.put("0002_b", "CREATE TABLE b (id int)", down="DROP TABLE b")
    rehearsal = rehearsed(fleet)
    first, second = rehearsal.parts.order_by("ordinal")
    assert first.fp_after == second.fp_before == second.fp_back
    assert first.fp_before == rehearsal.target_fingerprint
    assert first.chain != second.chain
    assert {stage["name"] for stage in first.stages} == {"up", "trace", "down", "compare", "again"}
    assert first.traces[0]["revision_id"] == "0001_a"
    assert list(RehearsalLine.objects.filter(level="info", revision_id="0001_a"))


def test_a_revision_that_fails_ends_it_and_tells_what_was_not_reached(fleet: Fleet, clones: Clones) -> None:
    fleet.put("0001_a", "CREATE TABLE a (id int)", down="DROP TABLE a")
    fleet.put("0002_b", "CREATE TABLE a (id int)", down="DROP TABLE a")
    fleet.put("0003_c", "CREATE TABLE c (id int)", down="DROP TABLE c")
    rehearsal = rehearsed(fleet)
    assert rehearsal.status == RehearsalStatus.FAILED
    assert verdicts(rehearsal) == {"0001_a": "reversible", "0002_b": "failed"}
    assert "0002_b could not be applied on the clone" in rehearsal_sentence(rehearsal)
    assert rehearsal.error is not None and "The 1 after it were not reached." in rehearsal.error["not_done"]
    assert clones() == ()


def test_the_way_back_is_rehearsed_when_nothing_is_pending(fleet: Fleet) -> None:
    fleet.put("0001_a", "CREATE TABLE a (id int)", down="DROP TABLE a")
    fleet.apply()
    assert verdicts(rehearsed(fleet)) == {"0001_a": "reversible"}
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        conn.execute("INSERT INTO a VALUES (1)")
    rehearsal = rehearsed(fleet, direction="down", to="zero")
    assert verdicts(rehearsal) == {"0001_a": "lossy"}
    assert rehearsal.parts.get().losses[0]["sentence"] == "1 row of public.a is not there any more."


def test_it_refuses_a_target_that_moved_meanwhile(fleet: Fleet, clones: Clones) -> None:
    fleet.put("0001_a", "CREATE TABLE a (id int)", down="DROP TABLE a")
    rehearsal = ask(fleet)
    Rehearsal.objects.update(from_revision="0000_other")
    rehearse.execute(rehearsal.pk)
    rehearsal.refresh_from_db()
    assert rehearsal.error is not None
    assert (rehearsal.status, rehearsal.error["code"]) == (RehearsalStatus.FAILED, "target_moved")


def test_it_refuses_bytes_that_changed_meanwhile(fleet: Fleet, clones: Clones) -> None:
    fleet.put("0001_a", "CREATE TABLE a (id int)", down="DROP TABLE a")
    rehearsal = ask(fleet)
    fleet.put("0001_a", "CREATE TABLE a (id bigint)", down="DROP TABLE a")
    rehearse.execute(rehearsal.pk)
    rehearsal.refresh_from_db()
    assert rehearsal.error is not None
    assert (rehearsal.error["code"], verdicts(rehearsal), clones()) == ("plan_changed", {}, ())


def test_it_says_which_server_is_missing(fleet: Fleet, settings) -> None:
    settings.LOCKSTEP_REHEARSAL_SERVERS = []
    fleet.put("0001_a", "CREATE TABLE a (id int)", down="DROP TABLE a")
    rehearsal = rehearsed(fleet)
    assert rehearsal.error is not None
    assert rehearsal.error["code"] == "no_rehearsal_server"


def test_a_run_or_another_rehearsal_on_the_way_is_in_its_way(fleet: Fleet) -> None:
    fleet.put("0001_a", "CREATE TABLE a (id int)", down="DROP TABLE a")
    run = fleet.start()
    with pytest.raises(Refused) as refused:
        ask(fleet)
    assert refused.value.code == "run_in_progress"
    run.status = "cancelled"
    run.save(update_fields=["status"])
    ask(fleet)
    with pytest.raises(Refused) as refused:
        ask(fleet)
    assert refused.value.code == "rehearsal_open"


def test_there_has_to_be_something_to_rehearse(fleet: Fleet) -> None:
    with pytest.raises(Refused) as refused:
        ask(fleet)
    assert refused.value.code == "nothing_to_rehearse"


def test_a_queued_one_is_cancelled_at_once(fleet: Fleet) -> None:
    fleet.put("0001_a", "CREATE TABLE a (id int)", down="DROP TABLE a")
    rehearsal = cancel_rehearsal(ask(fleet), by=fleet.olga)
    assert rehearsal.status == RehearsalStatus.CANCELLED
    assert rehearse.execute(rehearsal.pk) == "not claimed"
    with pytest.raises(Refused, match="The rehearsal is cancelled"):
        cancel_rehearsal(rehearsal, by=fleet.olga)
