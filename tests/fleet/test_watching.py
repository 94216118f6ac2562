"""Who changed a schema: event triggers in a real target, which never get in the way of a change."""

from __future__ import annotations

import psycopg
import pytest

from migrations_app.engine.errors import Refused
from migrations_app.engine.target.fingerprint import take
from migrations_app.fleet.readings import take_reading
from migrations_app.fleet.schema_view import doers_of
from migrations_app.fleet.watching import unwatch, watch
from migrations_app.models import AuditEntry, SchemaDrift, SchemaState
from migrations_app.models.schema import Source
from tests.runs.support import Fleet, make_fleet

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fleet(target_database):
    made = make_fleet(target_database())
    made.put("0001_a", "CREATE TABLE a (id int PRIMARY KEY)")
    made.apply()
    watch(environment=made.environment, by=made.olga)
    return made


def by_hand(fleet: Fleet, *statements: str, name: str = "psql") -> None:
    with psycopg.connect(fleet.url, autocommit=True, application_name=name) as conn:
        for statement in statements:
            conn.execute(statement)


def doers(fleet: Fleet):
    take_reading(fleet.environment, source=Source.SCHEDULE)
    return doers_of(SchemaDrift.objects.get())


def test_a_drift_is_told_with_role_application_address_and_statement(fleet):
    by_hand(fleet, "ALTER TABLE a ADD COLUMN note text", name="a developer's laptop")
    (doer,) = doers(fleet)
    assert doer.application == "a developer's laptop"
    assert (doer.tag, doer.object) == ("ALTER TABLE", "table public.a")
    assert doer.statement == "ALTER TABLE a ADD COLUMN note text"
    assert doer.login == doer.role == doer.who
    assert doer.address


def test_what_was_dropped_is_told_and_as_whom_somebody_acted(fleet):
    by_hand(
        fleet,
        "CREATE ROLE lockstep_test_owner",
        "GRANT ALL ON SCHEMA public TO lockstep_test_owner",
        "SET ROLE lockstep_test_owner",
        "CREATE TABLE b ()",
        "DROP TABLE b",
        "RESET ROLE",
        "DROP TABLE a",
        "REVOKE ALL ON SCHEMA public FROM lockstep_test_owner",
        "DROP ROLE lockstep_test_owner",
    )
    found = doers(fleet)
    assert {"DROP TABLE"} == {doer.tag for doer in found if doer.object == "table public.a"}
    (made,) = [doer for doer in found if doer.tag == "CREATE TABLE"]
    assert made.role == "lockstep_test_owner"
    assert made.who == f"{made.login} as lockstep_test_owner"


def test_what_is_rolled_back_is_not_told(fleet):
    with psycopg.connect(fleet.url) as conn:
        conn.execute("CREATE TABLE b ()")
        conn.rollback()
    by_hand(fleet, "CREATE TABLE c ()")
    assert [doer.object for doer in doers(fleet)] == ["table public.c"]


def test_passwords_are_not_kept(fleet):
    by_hand(fleet, "CREATE TABLE b (); COMMENT ON TABLE b IS 'password hunter2'")
    told = doers(fleet)
    assert told
    assert "hunter2" not in str(told)


def test_runs_of_this_environment_are_left_out_but_not_who_only_calls_itself_so(fleet):
    fleet.put("0002_b", "CREATE TABLE b ()")
    fleet.apply()
    by_hand(fleet, "CREATE TABLE c ()", name="lockstep:00000000-0000-0000-0000-000000000000 0002_b")
    assert [doer.object for doer in doers(fleet)] == ["table public.c"]


@pytest.mark.parametrize(
    "broken",
    ["DROP TABLE lockstep.ddl_log", "ALTER TABLE lockstep.ddl_log ADD CHECK (false) NOT VALID"],
)
def test_a_log_that_is_broken_lets_every_change_through(fleet, broken):
    by_hand(fleet, broken, "CREATE TABLE b ()", "DROP TABLE b", "CREATE TABLE c ()")
    take_reading(fleet.environment, source=Source.SCHEDULE)
    assert SchemaDrift.objects.get().summary == "One object differs: table public.c."


def test_a_log_that_somebody_keeps_locked_holds_no_change_up(fleet):
    with psycopg.connect(fleet.url) as holder:
        holder.execute("LOCK TABLE lockstep.ddl_log IN ACCESS EXCLUSIVE MODE")
        by_hand(fleet, "SET statement_timeout = '3s'", "CREATE TABLE b ()")


def test_a_role_without_rights_on_the_log_changes_what_it_may(fleet):
    by_hand(fleet, "CREATE ROLE lockstep_test_plain", "GRANT CREATE ON SCHEMA public TO lockstep_test_plain")
    by_hand(fleet, "SET ROLE lockstep_test_plain", "CREATE TABLE b ()")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        by_hand(fleet, "SET ROLE lockstep_test_plain", "SELECT * FROM lockstep.ddl_log")
    by_hand(
        fleet,
        "DROP TABLE b",
        "REVOKE CREATE ON SCHEMA public FROM lockstep_test_plain",
        "DROP ROLE lockstep_test_plain",
    )


def test_installing_and_removing_leave_the_fingerprint_as_it_was(fleet):
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        watched = take(conn)
        unwatch(environment=fleet.environment, by=fleet.olga)
        assert take(conn) == watched
        row = conn.execute("SELECT count(*) FROM pg_event_trigger").fetchone()
        assert row == (0,)
    assert SchemaState.objects.get().watched is False
    actions = AuditEntry.objects.filter(data__action__startswith="schema.").values_list("data__action", flat=True)
    assert list(actions) == ["schema.unwatch", "schema.watch"]


def test_the_reading_finds_out_that_somebody_removed_them(fleet):
    by_hand(fleet, "DROP EVENT TRIGGER lockstep_ddl_end")
    take_reading(fleet.environment, source=Source.SCHEDULE)
    assert SchemaState.objects.get().watched is False


def test_installing_takes_rights_and_changes_nothing_without_them(target_database):
    url = target_database()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE ROLE lockstep_test_app LOGIN PASSWORD 'x'")
        row = conn.execute("SELECT current_database()").fetchone()
        assert row is not None
        conn.execute(f"GRANT CREATE, CONNECT ON DATABASE {row[0]} TO lockstep_test_app")
        try:
            made = make_fleet(str(_as(url, "lockstep_test_app")))
            with pytest.raises(Refused) as refusal:
                watch(environment=made.environment, by=made.olga)
            assert refusal.value.code == "watch_refused"
            assert conn.execute("SELECT to_regclass('lockstep.ddl_log')").fetchone() == (None,)
            assert not SchemaState.objects.filter(watched=True).exists()
        finally:
            conn.execute("DROP OWNED BY lockstep_test_app CASCADE")
            conn.execute("DROP ROLE lockstep_test_app")


def _as(url: str, role: str) -> str:
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:x@{host}"))
