"""Three real targets side by side, the command line, and what the clock reads."""

from __future__ import annotations

import threading
from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from migrations_app.fleet.contents import prune_contents
from migrations_app.fleet.environments import add_environment
from migrations_app.fleet.parity import Depth, against_first, compare_groups, read_parity
from migrations_app.fleet.readings import KEPT, take_reading
from migrations_app.jobs.schedule import tick
from migrations_app.models import (
    Environment,
    Run,
    SchemaContent,
    SchemaDefinition,
    SchemaDrift,
    SchemaReading,
    SchemaState,
)
from migrations_app.models.schema import Source
from tests.runs.support import Fleet, make_fleet, person

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = "CREATE TABLE a (id int PRIMARY KEY, note text)"


@pytest.fixture
def fleet(target_database):
    """dev on 18."""
    return make_fleet(target_database())


def add(fleet: Fleet, url: str, name: str, order: int) -> Environment:
    return add_environment(
        service=fleet.service, name=name, stage="prod", region="", order=order, dsn=url, health_url="", by=fleet.olga
    )


def by_hand(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)


def command(*words: str) -> str:
    out = StringIO()
    call_command("schema", *words, stdout=out)
    return out.getvalue()


def test_three_environments_of_which_one_has_another_index_and_one_another_server(fleet, target_database):
    urls = {name: target_database() for name in ("prod-eu", "prod-us")} | {"prod-old": target_database(major=16)}
    places = [fleet.environment, *(add(fleet, url, name, n + 2) for n, (name, url) in enumerate(urls.items()))]
    for url in (fleet.url, *urls.values()):
        by_hand(url, TABLE, "CREATE INDEX a_note ON a (note)")
    by_hand(urls["prod-us"], "DROP INDEX a_note", "CREATE INDEX a_note ON a USING hash (note)")
    for place in places:
        take_reading(place, source=Source.SCHEDULE)
    parity = read_parity(fleet.service, Depth.SHAPE, timezone.now())
    newest, old = parity.majors
    assert [group.names for group in newest.groups] == [("dev-eu", "prod-eu"), ("prod-us",)]
    assert (old.number, [group.names for group in old.groups]) == (16, [("prod-old",)])
    compared = compare_groups(newest, Depth.SHAPE)
    (one,) = compared.objects
    assert (one.kind, one.name) == ("index", "public.a_note")
    ((variant, difference),) = against_first(one)
    assert variant.names == ("prod-us",)
    assert ("btree" in difference.before, "hash" in difference.after) == (True, True)
    assert compared.same > 0
    with pytest.raises(CommandError, match="1 objects differ, 0 environments are unknown"):
        command("parity", "shop", "--as", "olga")


def test_environments_that_are_alike_share_what_is_kept(fleet, target_database):
    url = target_database()
    other = add(fleet, url, "prod", 2)
    for place, address in ((fleet.environment, fleet.url), (other, url)):
        by_hand(address, TABLE)
        take_reading(place, source=Source.SCHEDULE)
    assert SchemaContent.objects.count() == 1
    assert "dev-eu, prod" in command("parity", "shop", "--as", "olga")


def test_only_the_newest_readings_are_kept_and_what_nobody_names_is_forgotten(fleet):
    take_reading(fleet.environment, source=Source.SCHEDULE)
    first = SchemaReading.objects.get()
    SchemaReading.objects.bulk_create(
        SchemaReading(
            environment=fleet.environment,
            content_id=first.content_id,
            head_seq=0,
            server_version_num=180_001,
            source=Source.SCHEDULE,
            taken_at=first.taken_at,
            seen_until=first.taken_at,
        )
        for _ in range(KEPT)
    )
    by_hand(fleet.url, TABLE)
    take_reading(fleet.environment, source=Source.SCHEDULE)
    assert SchemaReading.objects.count() == KEPT
    SchemaReading.objects.exclude(pk=SchemaState.objects.values_list("reading_id")[0][0]).delete()
    SchemaDrift.objects.all().delete()
    SchemaContent.objects.update(used_at=timezone.now() - timedelta(hours=2))
    assert prune_contents() == 1
    kept = SchemaContent.objects.get()
    assert set(SchemaDefinition.objects.values_list("sha256", flat=True)) == {row[2] for row in kept.objects_read}


def test_the_clock_reads_what_is_due_and_not_before(fleet):
    tick(threading.Event())
    state = SchemaState.objects.get()
    assert state.reading is not None
    assert state.reading.source == Source.SCHEDULE
    assert state.due_at > timezone.now()
    tick(threading.Event())
    assert SchemaState.objects.get().read_at == state.read_at
    SchemaState.objects.update(due_at=timezone.now())
    tick(threading.Event())
    assert SchemaState.objects.get().read_at != state.read_at


def test_the_clock_passes_by_an_environment_with_an_open_run(fleet):
    fleet.put("0001_a", TABLE)
    run = fleet.start()
    tick(threading.Event())
    assert not SchemaState.objects.filter(read_at__isnull=False).exists()
    Run.objects.filter(pk=run.pk).update(status="cancelled")
    tick(threading.Event())
    assert SchemaState.objects.filter(read_at__isnull=False).exists()


def test_the_command_reads_tells_drafts_ignores_and_accepts(fleet):
    person("ann", "release-manager", "admin")
    fleet.put("0001_a", TABLE)
    fleet.apply()
    assert "as its receipts left it" in command("read", "shop", "dev-eu", "--as", "olga")
    assert "as its receipts left it" in command("diff", "shop", "dev-eu", "--as", "olga")
    by_hand(fleet.url, "ALTER TABLE a ADD COLUMN other int")
    command("read", "shop", "dev-eu", "--as", "olga")
    with pytest.raises(CommandError, match="not as its receipts left it"):
        command("diff", "shop", "dev-eu", "--as", "olga")
    assert "DROP COLUMN IF EXISTS other" in command("draft", "shop", "dev-eu", "--as", "olga", "--way", "revert")
    day = (timezone.now() + timedelta(days=2)).date().isoformat()
    why = ("--reason", "The team knows of it.", "--as", "ann")
    assert "ignore that for now" in command("ignore", "shop", "dev-eu", "--until", day, *why)
    found = SchemaDrift.objects.get().found_id
    assert "as its receipts left it" in command("accept", "shop", "dev-eu", "--found", found, *why)
    command("policy", "shop", "dev-eu", "block", "--as", "ann")
    command("watch", "shop", "dev-eu", "--as", "ann")
    state = SchemaState.objects.get()
    assert (state.drift_blocks, state.watched) == (True, True)
    command("unwatch", "shop", "dev-eu", "--as", "ann")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("ignore", "shop", "dev-eu", "--until", "soon", "--reason", "ten characters", "--as", "ann"), "is no date"),
        (("read", "shop", "nowhere", "--as", "ann"), "has no environment"),
        (("accept", "shop", "dev-eu", "--found", "x", "--reason", "ten characters", "--as", "olga"), "may not do this"),
        (("draft", "shop", "dev-eu", "--as", "ann"), "No drift is open"),
        (("diff", "shop", "dev-eu", "--as", "ann"), "nobody has read it yet"),
    ],
)
def test_the_command_refuses_with_one_sentence(fleet, words, sentence):
    person("ann", "release-manager", "admin")
    with pytest.raises(CommandError, match=sentence):
        command(*words)


def test_one_column_among_five_hundred_tables_is_named(fleet):
    """Readings hold no environment up: a run can be requested while the content is stored."""
    by_hand(
        fleet.url,
        "DO $$ BEGIN FOR n IN 1..500 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a text)', n); "
        "END LOOP; END $$",
    )
    take_reading(fleet.environment, source=Source.SCHEDULE)
    by_hand(fleet.url, "ALTER TABLE t7 ADD COLUMN b int")
    take_reading(fleet.environment, source=Source.SCHEDULE)
    drift = SchemaDrift.objects.get()
    assert (drift.differences, drift.summary) == (1, "One object differs: column public.t7.b.")
