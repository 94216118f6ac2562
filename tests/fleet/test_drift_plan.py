"""Ending a drift by a revision, on a real target: adopted or taken back, let through meanwhile, and who is first."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.db import connection
from django.utils import timezone

from migrations_app.admission.door import preview
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.fleet import drift as verbs
from migrations_app.fleet.drift_plan import Finished, free_id, offer, plan_drift, settled_by
from migrations_app.fleet.readings import take_reading
from migrations_app.fleet.revisions import put_revision
from migrations_app.fleet.schema_view import view_of
from migrations_app.models import AuditEntry, Environment, Revision, SchemaDrift, SchemaState
from migrations_app.models.schema import DriftState, Source
from migrations_app.permissions import RELEASE_MANAGER
from tests.edge.fleet import make_environment, make_service
from tests.edge.schemas import COLUMN, TABLE, make_drift
from tests.fleet.test_parity import command
from tests.runs.support import Fleet, make_fleet, person

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "The team knows of it."
MORE = ("ALTER TABLE a ADD COLUMN note text DEFAULT 'x'", "ALTER TABLE a ADD CONSTRAINT positive CHECK (id > 0)")


@pytest.fixture
def fleet(target_database):
    """Production, where somebody added a column and a check by hand."""
    made = make_fleet(target_database(), name="prod-eu")
    made.put("0001_a", "CREATE TABLE a (id int PRIMARY KEY)", down="DROP TABLE a")
    made.apply()
    Environment.objects.update(stage="prod")
    made.environment.refresh_from_db()
    by_hand(made, *MORE)
    return made


@pytest.fixture
def ann() -> User:
    return person("ann", RELEASE_MANAGER)


@pytest.fixture
def place(ann: User) -> Environment:
    """The same as plain rows, without a target."""
    environment = make_environment(make_service(ann))
    make_pending(environment, "0001_step")
    Environment.objects.update(head_revision="0001_step", rehearsal_policy="never")
    environment.refresh_from_db()
    make_drift(environment)
    return environment


def by_hand(fleet: Fleet, *statements: str) -> SchemaDrift | None:
    """What somebody did, and what the next reading says of it."""
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)
    take_reading(fleet.environment, source=Source.SCHEDULE)
    return SchemaDrift.objects.first()


def finished(environment: Environment, way: str, **changes: Any) -> Finished:
    """The draft as it is offered, taken as it is."""
    given = offer(environment, way)
    made = Finished(way, given.revision_id, given.up, given.down, given.found, given.planned)
    return replace(made, **changes)


def plan(environment: Environment, way: str, **changes: Any) -> SchemaDrift:
    return plan_drift(
        environment=environment, finished=finished(environment, way, **changes), by=person("ann", RELEASE_MANAGER)
    )


def unmet(environment: Environment, to: str | None = None, direction: str = "up") -> list[str]:
    """What clears the drift; beside it only the second person for a way back that nobody rehearsed is asked for."""
    conditions = preview(environment=environment, direction=direction, to=to).conditions
    besides = {"lossy_rollback"} if direction == "down" else set()
    assert {condition.code for condition in conditions} - besides <= {"drift"}
    return [condition.clears for condition in conditions if condition.code == "drift"]


def refused(environment: Environment, way: str, **changes: Any) -> str:
    """The code, after nothing was stored."""
    before = (Revision.objects.count(), shown(SchemaDrift.objects.first()))
    with pytest.raises(LockstepError) as refusal:
        plan(environment, way, **changes)
    assert (Revision.objects.count(), shown(SchemaDrift.objects.first())) == before
    return refusal.value.code


def shown(drift: SchemaDrift | None) -> tuple[str, str, str] | None:
    return None if drift is None else (drift.state, drift.revision_id, drift.revision_checksum)


def test_a_drift_is_adopted_by_a_revision_that_meets_it_there_and_does_nothing(fleet, ann):
    drift = plan(fleet.environment, "adopt")
    name = "0002_adopt_drift_of_prod_eu"
    assert (drift.state, drift.revision_id, drift.planned_by) == (DriftState.ADOPTING, name, ann)
    assert f"{name} adopts it once it is applied here." in view_of(fleet.environment, timezone.now()).brief.word.more
    assert fleet.apply().status == "succeeded"
    drift.refresh_from_db()
    assert (drift.state, drift.ended_at is not None) == (DriftState.ADOPTED, True)
    assert view_of(fleet.environment, timezone.now()).brief.word.standing == "clean"
    assert fleet.receipts()[-1].fp_before == fleet.receipts()[-1].fp_after
    actions = AuditEntry.objects.order_by("seq").filter(data__action__startswith="drift.")
    assert list(actions.values_list("data__action", flat=True)) == ["drift.found", "drift.adopt", "drift.adopted"]
    assert [one.pk for one in settled_by(Revision.objects.get(revision_id=name))] == [drift.pk]


def test_a_drift_is_taken_back_by_a_revision_whose_way_back_makes_it_again(fleet, ann):
    drift = plan(fleet.environment, "revert")
    assert drift.state == DriftState.REVERTING
    stored = Revision.objects.get(revision_id="0002_revert_drift_of_prod_eu")
    assert "ADD COLUMN IF NOT EXISTS note" in (stored.down or "")
    assert fleet.apply().status == "succeeded"
    drift.refresh_from_db()
    assert drift.state == DriftState.REVERTED
    first, last = fleet.receipts()
    assert last.fp_after == first.fp_after
    assert view_of(fleet.environment, timezone.now()).brief.word.standing == "clean"
    out = command("past", "shop", "prod-eu", "--as", "ann")
    assert "reverted by a revision (0002_revert_drift_of_prod_eu, ann): 2 objects differ" in out


def test_a_revert_that_leaves_something_standing_is_not_called_one(fleet):
    plan(fleet.environment, "revert", up="ALTER TABLE a DROP COLUMN IF EXISTS note;")
    fleet.apply()
    assert SchemaDrift.objects.get().state == DriftState.CARRIED


def test_what_was_planned_for_something_else_is_not_let_through_any_more(fleet):
    plan(fleet.environment, "adopt")
    drift = by_hand(fleet, "CREATE TABLE more ()")
    assert drift is not None
    assert (drift.state, drift.way) == (DriftState.OPEN, "")
    assert unmet(fleet.environment) != []
    again = offer(fleet.environment, "revert")
    assert (again.revision_id, again.fixed, again.planned) == ("0002_adopt_drift_of_prod_eu", True, "")
    assert "DROP TABLE IF EXISTS public.more;" in again.up
    assert plan(fleet.environment, "revert").state == DriftState.REVERTING
    assert unmet(fleet.environment) == []


def test_only_its_revision_alone_is_let_through(place):
    assert "upload a revision that adopts it" in unmet(place, "zero", "down")[0]
    make_pending(place, "0002_other")
    name = plan(place, "revert").revision_id
    assert name == "0003_revert_drift_of_orders_eu"
    assert "0002_other would run before it" in unmet(place)[0]
    assert f"{name} takes it back, and may run: alone, as the next revision here." in unmet(place, "0002_other")[0]
    Environment.objects.update(head_revision="0002_other")
    place.refresh_from_db()
    assert unmet(place) == []
    make_pending(place, "0004_later")
    assert "run up to it and no further" in unmet(place)[0]
    assert unmet(place, name) == []
    assert unmet(place, "zero", "down") != []


def test_other_bytes_than_were_uploaded_for_it_are_stopped_until_they_are(place, ann):
    name = plan(place, "revert").revision_id
    put_revision(service=place.service, revision_id=name, up="DROP TABLE orders;", by=ann)
    assert "has other bytes than were uploaded for the drift" in unmet(place)[0]
    assert offer(place, "revert").up == "DROP TABLE orders;"
    plan(place, "revert", up="DROP INDEX orders_id;")
    assert unmet(place) == []


def test_ignored_it_keeps_its_revision(place, ann):
    name = plan(place, "revert").revision_id
    until = timezone.now() + timedelta(days=1)
    verbs.ignore_drift(environment=place, until=until, reason=WHY, by=ann)
    drift = SchemaDrift.objects.get()
    assert (drift.state, drift.way, drift.revision_id) == (DriftState.IGNORED, "revert", name)
    assert plan(place, "adopt").state == DriftState.ADOPTING
    assert SchemaDrift.objects.get().ignore_until is None


@pytest.mark.parametrize("way", ["adopt", "revert"])
def test_a_stale_page_is_refused(place, way):
    seen = finished(place, way)
    find_other(place)
    assert refused(place, way, found=seen.found) == "drift_differs"
    plan(place, way)
    assert refused(place, way, planned="") == "drift_planned"
    assert refused(place, way, planned="sha256:other") == "drift_planned"
    assert refused(place, way, revision_id="0009_other") == "drift_planned"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"revision_id": "0001_step"}, "revision_taken"),
        ({"revision_id": "no id"}, "bad_name"),
        ({"revision_id": ""}, "bad_name"),
        ({"up": "-- TODO: make domain small\nSELECT 1;"}, "draft_unfinished"),
        ({"down": "SELECT 1;\n  -- TODO: change enum mood"}, "draft_unfinished"),
        ({"up": "ALTER TABEL a"}, "syntax_error"),
        ({"up": "DROP TABLE lockstep.migration_history;"}, "reserved_schema"),
        ({"found": ""}, "drift_differs"),
    ],
)
def test_what_makes_no_sense_is_refused_and_stores_nothing(place, changes, code):
    assert refused(place, "adopt", **changes) == code


def test_without_a_drift_or_what_was_expected_there_is_nothing_to_begin_with(place):
    SchemaDrift.objects.update(baseline=None)
    with pytest.raises(Refused) as refusal:
        offer(place, "adopt")
    assert refusal.value.code == "baseline_unknown"
    SchemaDrift.objects.all().delete()
    with pytest.raises(Refused) as refusal:
        offer(place, "adopt")
    assert refusal.value.code == "no_drift"


def test_of_two_who_adopt_the_same_drift_at_once_the_second_is_told(place):
    seen = finished(place, "adopt")
    said: list[str] = []
    start = threading.Barrier(2)

    def one(name: str) -> None:
        by, up = person(name, RELEASE_MANAGER), f"{seen.up}-- {name}\n"
        start.wait(timeout=10)
        try:
            plan_drift(environment=place, finished=replace(seen, up=up), by=by)
            said.append("planned")
        except Refused as refusal:
            said.append(f"{refusal.code}: {refusal.message}")
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(name,)) for name in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    drift = SchemaDrift.objects.get()
    assert drift.planned_by is not None
    winner = drift.planned_by.username
    told = f"drift_planned: {drift.revision_id} was uploaded meanwhile by {winner}: it adopts it."
    assert sorted(said) == [told, "planned"]
    assert Revision.objects.get(revision_id=drift.revision_id).up.endswith(f"-- {winner}\n")


def test_the_id_that_is_offered_sorts_behind_every_other(place):
    assert free_id(place, "adopt") == "0002_adopt_drift_of_orders_eu"
    make_pending(place, "0100_odd", "0001_step")
    make_pending(place, "0002_last", "0100_odd")
    assert free_id(place, "adopt") == "0101_adopt_drift_of_orders_eu"
    assert offer(place, "adopt").up.startswith("-- lockstep: parent 0002_last\n")


def test_the_command_plans_what_a_file_holds(place, ann, tmp_path):
    told = command("draft", "orders", "orders-eu", "--as", "ann")
    assert "0002_adopt_drift_of_orders_eu: finish it, then plan it with --found fp:" in told
    found = SchemaDrift.objects.get().found_id
    file = tmp_path / "0002_mine.up.sql"
    words = ("plan", "orders", "orders-eu", "--way", "adopt", "--found", found, "--as", "ann", "--up")
    with pytest.raises(CommandError, match="cannot be read"):
        command(*words, str(file))
    with pytest.raises(CommandError, match="is no up file"):
        command(*words, str(tmp_path / "mine.sql"))
    file.write_text("ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text;", encoding="utf-8")
    assert "0002_mine adopts it once it is applied here." in command(*words, str(file))
    assert SchemaState.objects.get().failure == ""
    with pytest.raises(CommandError, match="was uploaded meanwhile by ann"):
        command(*words, str(file))


def make_pending(environment: Environment, name: str, parent: str | None = None) -> None:
    put_revision(
        service=environment.service,
        revision_id=name,
        up="SELECT 1;",
        down="SELECT 1;",
        parent=parent,
        by=person("ann", RELEASE_MANAGER),
    )


def find_other(environment: Environment) -> None:
    """Something else was found since the page was drawn."""
    SchemaDrift.objects.all().delete()
    make_drift(environment, (TABLE, COLUMN))
