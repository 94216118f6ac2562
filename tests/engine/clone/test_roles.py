"""A rehearsal server that knows none of the target's roles: stand-ins, and a run that cannot tell the difference."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from migrations_app.embedded import postgres, pytest_servers
from migrations_app.embedded.postgres import Server
from migrations_app.engine.clone.make import Clone
from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.plan import Plan
from migrations_app.engine.contract.recovery import execute_to_the_end
from migrations_app.engine.contract.work import Job, Limits
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.identity import check_identity
from tests.conftest import MakeDatabase
from tests.engine.clone.support import Rehearsal, ordinary_role, owned_by, rehearsing, rows, run, value
from tests.engine.contract.support import Target, chain, revision

UP = "CREATE TABLE more (n int); ALTER TABLE owned ADD note text; GRANT SELECT ON more TO shop_reader;"
DOWN = "DROP TABLE more; ALTER TABLE owned DROP note;"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Server]:
    """A server of its own, where nobody of the target's is known."""
    folder = Path(tempfile.mkdtemp(dir=pytest_servers.home()))
    server = postgres.start(folder / "rehearsal18", 18, fast=True)
    yield server
    server.stop()


@pytest.fixture
def away(elsewhere: Server) -> Iterator[Rehearsal]:
    with rehearsing(elsewhere) as it:
        yield it


@pytest.fixture
def target(pg18: Server, target_database: MakeDatabase) -> Target:
    superuser = target_database()
    for name in ("shop_reader", "shop_group"):
        ordinary_role(pg18, name)
    url = owned_by(pg18, superuser, ordinary_role(pg18))
    run(superuser, "GRANT shop_group TO shop_app; CREATE TABLE not_ours (n int); GRANT SELECT ON not_ours TO shop_app")
    run(superuser, "CREATE TABLE of_the_group (n int); ALTER TABLE of_the_group OWNER TO shop_group")
    target = Target(url)
    target.apply(
        *chain("CREATE TABLE owned (n int); GRANT SELECT ON owned TO shop_reader; INSERT INTO owned VALUES (1);")
    )
    return target


def run_there(clone: Clone, plan: Plan) -> None:
    execute_to_the_end(
        plan,
        clone.dsn,
        job=Job(uuid.uuid4(), "rehearsal", "worker-1", clone.uid, ()),
        limits=Limits(lock_window_s=5, poll_s=0.2, reconnect_window_s=10),
        report=lambda event: None,
        should_stop=lambda: None,
        canceller=Canceller(),
    )


def test_a_run_goes_up_and_down_in_the_clone_as_it_would_in_the_target(target: Target, away: Rehearsal) -> None:
    clone = away.clone(target.url)
    up = revision("0002_r", UP, parent="0001_r")
    run_there(clone, Plan("up", (up,)))
    assert value(clone.dsn, "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'more'") == "shop_app"
    run_there(clone, Plan("down", (revision("0002_r", DOWN, parent="0001_r", direction="down", up=UP),)))
    run_there(clone, Plan("up", (up,)))
    directions = "SELECT array_agg(direction ORDER BY seq) FROM lockstep.migration_history"
    assert value(clone.dsn, directions) == ["up", "up", "down", "up"]
    assert value(target.url, directions) == ["up"]


def test_what_the_target_denies_the_clone_denies(target: Target, away: Rehearsal) -> None:
    clone = away.clone(target.url)
    for statement in (
        "INSERT INTO not_ours VALUES (1)",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "CREATE ROLE another",
        "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION lockstep.refuse()",
        "COPY owned TO PROGRAM 'cat'",
    ):
        for where in (target.url, clone.dsn.conninfo()):
            with psycopg.connect(where) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)
    for statement in ("SELECT * FROM not_ours", "ALTER TABLE of_the_group ADD x int", "SET ROLE shop_group"):
        with psycopg.connect(clone.dsn.conninfo()) as conn:
            conn.execute(statement)


def test_stand_ins_cannot_log_in_except_for_the_target_s_user(target: Target, away: Rehearsal) -> None:
    clone = away.clone(target.url)
    asked = "SELECT rolname::text, rolcanlogin, rolsuper FROM pg_roles WHERE rolname LIKE 'shop%' ORDER BY 1"
    assert rows(clone.dsn, asked) == [
        ("shop_app", True, False),
        ("shop_group", False, False),
        ("shop_reader", False, False),
    ]


def test_the_places_differ_and_neither_passes_for_the_other(target: Target, away: Rehearsal) -> None:
    clone = away.clone(target.url)
    with psycopg.connect(clone.dsn.conninfo()) as there, psycopg.connect(target.url) as here:
        assert check_identity(there, environment=clone.uid).system_identifier != (
            check_identity(here, environment=target.environment).system_identifier
        )
        for conn, wrong in ((there, target.environment), (here, clone.uid)):
            with pytest.raises(Refused) as refused:
                check_identity(conn, environment=wrong)
            assert refused.value.code == "other_environment"


def test_a_role_that_belongs_to_somebody_else_there_is_never_altered(
    target: Target, away: Rehearsal, elsewhere: Server
) -> None:
    run(elsewhere.dsn, "DROP ROLE IF EXISTS shop_app; CREATE ROLE shop_app")
    try:
        with pytest.raises(Refused, match="has a role shop_app of its own") as refused:
            away.clone(target.url)
        assert refused.value.code == "role_taken"
        assert value(elsewhere.dsn, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'shop_app'") is False
        assert away.names() == ()
    finally:
        run(elsewhere.dsn, "DROP ROLE shop_app")
    assert away.clone(target.url)


def test_a_second_clone_finds_the_stand_ins_of_the_first(target: Target, away: Rehearsal) -> None:
    first, second = away.clone(target.url), away.clone(target.url)
    assert rows(first.dsn, "SELECT current_user") == rows(second.dsn, "SELECT current_user") == [("shop_app",)]
    assert first.name != second.name
