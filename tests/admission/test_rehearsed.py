"""When a run needs a fresh rehearsal, what makes one stale, and what a lossy one means for a way back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from migrations_app.admission.door import preview, start_run
from migrations_app.engine.contract.plan import Direction
from migrations_app.engine.sql.script import read_script, script_to_json
from migrations_app.models import Environment, LedgerEntry, Rehearsal, Revision
from tests.edge.fleet import make_revision, make_run
from tests.edge.rehearsals import ERROR, LOSS, make_part, make_rehearsal, make_rehearsed

pytestmark = pytest.mark.django_db


def codes(environment: Environment, direction: Direction = "down", to: str | None = None) -> list[str]:
    environment.refresh_from_db()
    return [one.code for one in preview(environment=environment, direction=direction, to=to).conditions]


@pytest.mark.parametrize(
    ("stage", "policy", "down", "up"),
    [
        ("prod", "", ["not_rehearsed"], []),
        ("Production", "", ["not_rehearsed"], []),
        ("staging", "", [], []),
        ("prod", "never", [], []),
        ("staging", "rollback", ["not_rehearsed"], []),
        ("staging", "always", ["not_rehearsed"], ["not_rehearsed"]),
    ],
)
def test_it_asks_by_the_environments_policy(
    prod: Environment, stage: str, policy: str, down: list[str], up: list[str]
) -> None:
    Environment.objects.filter(pk=prod.pk).update(stage=stage, rehearsal_policy=policy)
    assert codes(prod) == down
    assert codes(prod, "up") == up


def test_a_fresh_reversible_rehearsal_lets_it_pass(prod: Environment, revisions: list[Revision], olga: User) -> None:
    make_rehearsed(prod, olga, revisions[1:2], direction="down")
    assert codes(prod) == []
    assert start_run(environment=prod, direction="down", to=None, by=olga).run.status == "queued"


def test_a_rehearsal_of_the_way_up_counts_for_the_way_back(
    prod: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(prod, olga, revisions[1:2], direction="up")
    assert codes(prod) == []


def test_every_revision_of_the_plan_needs_one(prod: Environment, revisions: list[Revision], olga: User) -> None:
    make_rehearsed(prod, olga, revisions[1:2], direction="down")
    plan = preview(environment=prod, direction="down", to="zero")
    assert [(one.code, "0001_step was never rehearsed." in one.sentence) for one in plan.conditions] == [
        ("not_rehearsed", True)
    ]


def test_one_of_another_environment_says_nothing(
    prod: Environment, staging: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(staging, olga, revisions[1:2])
    assert codes(prod) == ["not_rehearsed"]


STALE: dict[str, tuple[dict[str, object], str]] = {
    "other up bytes": ({"checksum": "sha256:older"}, "its up file has changed"),
    "other down bytes": ({"down_checksum": "sha256:older"}, "its down file has changed"),
    "other verify bytes": ({"verify_checksum": "sha256:older"}, "its verify file has changed"),
    "another chain": ({"chain": "0" * 64}, "the chain below it has changed"),
    "another server": ({"server_version_num": 160000}, "the target is PostgreSQL 18 and was 16"),
    "another schema": ({"fp_after": "fp:v2:other"}, "the schema it began with is not the one that stands"),
    "too old": ({"finished_at": timezone.now() - timedelta(days=14, minutes=1)}, "it is older than 14 days"),
}


@pytest.mark.parametrize(("bound", "why"), STALE.values(), ids=STALE.keys())
def test_it_is_stale_when_what_it_is_bound_to_changed(
    prod: Environment, revisions: list[Revision], olga: User, bound: dict[str, object], why: str
) -> None:
    LedgerEntry.objects.filter(environment=prod, seq=2).update(fp_after="fp:v2:stands")
    Environment.objects.filter(pk=prod.pk).update(server_version_num=180003)
    prod.refresh_from_db()
    make_part(make_rehearsal(prod, olga), revisions[1], "reversible", **{"fp_after": "fp:v2:stands"} | bound)
    plan = preview(environment=prod, direction="down", to=None)
    assert [one.code for one in plan.conditions] == ["rehearsal_stale"]
    assert why in plan.conditions[0].sentence


def test_it_is_fresh_while_nothing_it_is_bound_to_changed(
    prod: Environment, revisions: list[Revision], olga: User
) -> None:
    LedgerEntry.objects.filter(environment=prod, seq=2).update(fp_after="fp:v2:stands")
    Environment.objects.filter(pk=prod.pk).update(server_version_num=180003, rehearsal_days=2)
    almost = timezone.now() - timedelta(days=1, hours=23)
    make_rehearsed(prod, olga, revisions[1:2], direction="down", fp_after="fp:v2:stands", finished_at=almost)
    assert codes(prod) == []


def taking_back(revision: Revision, sql: str) -> None:
    """Give the revision a down script."""
    Revision.objects.filter(pk=revision.pk).update(down_script=script_to_json(read_script(sql)))
    revision.refresh_from_db()


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE orders DROP COLUMN note",
        "ALTER TABLE orders DROP note",
        "DROP TABLE orders",
        "UPDATE orders SET note = lower(note)",
        "ALTER TABLE orders ALTER note TYPE varchar(9)",
        "DO $$ BEGIN DELETE FROM orders; END $$",
        "SELECT setval('orders_id_seq', 1)",
    ],
)
def test_what_was_written_since_is_not_in_a_rehearsal_of_before(
    prod: Environment, revisions: list[Revision], olga: User, sql: str
) -> None:
    taking_back(revisions[1], sql)
    make_rehearsed(prod, olga, revisions[1:2], direction="up")
    (condition,) = preview(environment=prod, direction="down", to=None).conditions
    assert condition.code == "rehearsal_stale"
    assert "it was made before 0002_step was applied" in condition.sentence
    make_rehearsed(prod, olga, revisions[1:2], direction="down")
    assert codes(prod) == []
    make_run(prod, olga, status="succeeded", finished_at=timezone.now())
    assert codes(prod) == ["rehearsal_stale"]


@pytest.mark.parametrize(
    "sql",
    [
        "DROP INDEX orders_note",
        "ALTER TABLE orders DROP CONSTRAINT positive",
        "ALTER TABLE orders ALTER note DROP NOT NULL",
        "DROP VIEW totals",
        "REVOKE SELECT ON orders FROM ann",
    ],
)
def test_what_depends_on_no_rows_may_have_been_rehearsed_before(
    prod: Environment, revisions: list[Revision], olga: User, sql: str
) -> None:
    taking_back(revisions[1], sql)
    make_rehearsed(prod, olga, revisions[1:2], direction="up")
    assert codes(prod) == []


def test_a_schema_that_nobody_knows_is_not_the_one_that_was_rehearsed(
    prod: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(prod, olga, revisions[1:2], direction="down", fp_after="fp:v2:then")
    (condition,) = preview(environment=prod, direction="down", to=None).conditions
    assert condition.code == "rehearsal_stale"
    assert "nobody knows the schema that stands" in condition.sentence
    Rehearsal.objects.update(target_fingerprint="fp:v2:then", from_revision=prod.head_revision)
    assert codes(prod) == []


def test_locks_that_could_not_be_measured_are_told(prod: Environment, revisions: list[Revision], olga: User) -> None:
    make_rehearsed(prod, olga, revisions[1:2], direction="down", down_traces=[])
    assert codes(prod) == ["locks_unknown"]
    Environment.objects.filter(pk=prod.pk).update(lock_budget_seconds=0)
    assert codes(prod) == []


def test_a_newer_stale_one_does_not_hide_a_fresh_one(prod: Environment, revisions: list[Revision], olga: User) -> None:
    make_rehearsed(prod, olga, revisions[1:2], direction="down")
    make_rehearsed(prod, olga, revisions[1:2], checksum="sha256:older")
    assert codes(prod) == []


def test_a_newer_failure_does_not_give_way_to_an_older_success(
    prod: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(prod, olga, revisions[1:2], direction="down")
    make_rehearsed(prod, olga, revisions[1:2], "failed", direction="down")
    assert codes(prod) == ["rehearsal_failed"]
    make_rehearsed(prod, olga, revisions[1:2], direction="down")
    assert codes(prod) == []


def test_a_loss_that_was_seen_before_counts_whatever_came_after(
    prod: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(prod, olga, revisions[1:2], "lossy", direction="up")
    for _ in range(3):
        make_rehearsed(prod, olga, revisions[1:2], "failed", direction="up")
    make_rehearsed(prod, olga, revisions[1:2], direction="down")
    assert codes(prod) == ["lossy_rollback"]


def test_a_loss_that_was_seen_before_counts_whatever_was_tried_with_other_bytes(
    prod: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(prod, olga, revisions[1:2], "lossy", direction="up")
    for _ in range(3):
        make_rehearsed(prod, olga, revisions[1:2], "lossy", direction="up", checksum="sha256:older", losses=[])
    make_rehearsed(prod, olga, revisions[1:2], direction="down")
    assert codes(prod) == ["lossy_rollback"]


def test_a_failed_one_is_told_as_that(prod: Environment, revisions: list[Revision], olga: User) -> None:
    make_rehearsed(prod, olga, revisions[1:2], "failed")
    plan = preview(environment=prod, direction="down", to=None)
    assert [one.code for one in plan.conditions] == ["rehearsal_failed"]
    assert ERROR["message"] in plan.conditions[0].sentence


def test_a_way_back_that_was_refused_on_the_clone_is_no_way(
    prod: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(prod, olga, revisions[1:2], "irreversible")
    assert codes(prod) == ["rollback_fails"]


def test_a_lossy_way_back_on_production_needs_two_people(
    prod: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(prod, olga, revisions[1:2], "lossy")
    plan = preview(environment=prod, direction="down", to=None)
    assert [one.code for one in plan.conditions] == ["lossy_rollback"]
    assert str(LOSS["sentence"]) in plan.conditions[0].sentence
    assert [(loss.revision_id, loss.what) for loss in plan.blast.losses] == [("0002_step", LOSS["sentence"])]


def test_what_nobody_rehearsed_counts_as_lost_where_production_asks_for_no_rehearsal(
    prod: Environment, staging: Environment, revisions: list[Revision], olga: User
) -> None:
    taking_back(revisions[1], "ALTER TABLE orders DROP COLUMN note")
    Environment.objects.update(rehearsal_policy="never")
    assert (codes(prod), codes(staging)) == (["lossy_rollback"], [])
    plan = preview(environment=prod, direction="down", to=None)
    assert "Not known, as no rehearsal of it counts: its down file has ALTER TABLE" in plan.conditions[0].sentence
    make_rehearsed(prod, olga, revisions[1:2], direction="down")
    assert codes(prod) == []


def test_what_takes_no_rows_needs_nobody_there(prod: Environment, revisions: list[Revision]) -> None:
    taking_back(revisions[1], "DROP INDEX orders_note")
    Environment.objects.update(rehearsal_policy="never")
    assert codes(prod) == []


def test_off_production_the_losses_are_confirmed_by_who_asks(
    prod: Environment, staging: Environment, revisions: list[Revision], olga: User
) -> None:
    Environment.objects.filter(pk=staging.pk).update(rehearsal_policy="rollback")
    staging.refresh_from_db()
    make_rehearsed(staging, olga, revisions[1:2], "lossy")
    plan = preview(environment=staging, direction="down", to=None)
    assert plan.conditions == ()
    assert [loss.what for loss in plan.blast.losses] == [LOSS["sentence"]]


def test_many_that_are_not_fresh_are_counted(prod: Environment, revisions: list[Revision], olga: User) -> None:
    Environment.objects.filter(pk=prod.pk).update(rehearsal_policy="always")
    for position in range(4, 11):
        make_revision(prod.service, position, up_script=revisions[0].up_script)
    prod.refresh_from_db()
    told = preview(environment=prod, direction="up", to=None).conditions
    assert len(told) == 6
    assert told[-1].sentence == "3 more revisions have no fresh rehearsal."


def test_a_chain_is_fresh_where_each_leaves_the_schema_for_the_next(
    prod: Environment, revisions: list[Revision], olga: User
) -> None:
    LedgerEntry.objects.filter(environment=prod, seq=2).update(fp_after="fp:v2:c")
    rehearsal = make_rehearsal(prod, olga, direction="down")
    make_part(rehearsal, revisions[1], fp_before="fp:v2:b", fp_after="fp:v2:c")
    last = make_part(rehearsal, revisions[0], fp_before="fp:v2:a", fp_after="fp:v2:b")
    assert codes(prod, "down", "zero") == []
    type(last).objects.filter(pk=last.pk).update(fp_after="fp:v2:x")
    assert codes(prod, "down", "zero") == ["rehearsal_stale"]
