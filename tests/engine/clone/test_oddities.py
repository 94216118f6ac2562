"""What a clone must not take along, what it must take along exactly, and what a killed worker leaves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from migrations_app.embedded.postgres import Server
from migrations_app.engine.clone.copying import drop_clone
from migrations_app.engine.clone.programs import environment
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.dsn import parse
from tests.conftest import MakeDatabase
from tests.engine.clone.support import (
    Rehearsal,
    ordinary_role,
    owned_by,
    rows,
    run,
    value,
)
from tests.engine.contract.support import Target, chain
from tests.writes import writes

ODD = """
DROP SCHEMA public CASCADE;
CREATE SCHEMA odd;
CREATE SCHEMA extensions;
CREATE EXTENSION vector SCHEMA extensions;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER other FOREIGN DATA WRAPPER nowhere OPTIONS (host 'production');
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (password 'hidden-word');
CREATE FOREIGN TABLE odd.far (n int) SERVER other;
CREATE TABLE odd.near (n int, v extensions.vector(3));
CREATE TABLE odd.written (what text);
INSERT INTO odd.near VALUES (1, '[1,2,3]');
CREATE FUNCTION odd.write_down() RETURNS event_trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO odd.written VALUES (tg_tag); END $$;
CREATE MATERIALIZED VIEW odd.seen AS SELECT n FROM odd.near;
CREATE EVENT TRIGGER write_down ON ddl_command_end EXECUTE FUNCTION odd.write_down();
CREATE PUBLICATION all_of_it FOR ALL TABLES;
"""
# With an empty search_path, as pg_dump and pg_restore have it, neither the table nor the index can be made.
UNNAMED = """
CREATE SCHEMA "it's";
CREATE TYPE "it's".parts AS (major int, minor int);
SET search_path = "it's", public;
CREATE FUNCTION parts_of(text) RETURNS parts LANGUAGE sql IMMUTABLE AS
  $$ SELECT (split_part($1, '.', 1)::int, split_part($1, '.', 2)::int)::parts $$;
CREATE TABLE versions (num text, parts parts GENERATED ALWAYS AS (parts_of(num)) STORED);
INSERT INTO versions VALUES ('1.2'), ('10.3');
"""
KILLED = """
import os, signal, sys, uuid
from migrations_app.embedded.wheels import postgres_bin
from migrations_app.engine.clone.make import Sizes, make_clone
from migrations_app.engine.clone.server import RehearsalServer
from migrations_app.engine.target.dsn import parse
source, server, installation, after = os.environ["SOURCE"], os.environ["SERVER"], sys.argv[1], int(sys.argv[2])
asked = 0
def should_stop():
    global asked
    asked += 1
    if asked == after:
        os.kill(os.getpid(), signal.SIGKILL)
    return False
make_clone(
    parse(source, trusted=True), RehearsalServer(parse(server, trusted=True), 18, postgres_bin(18)),
    installation=uuid.UUID(installation), clone=uuid.uuid4(), sizes=Sizes(), report=lambda said: None,
    should_stop=should_stop)
"""


@pytest.mark.parametrize("major", [18, 16])
def test_functions_that_name_no_schema_find_what_they_find_in_the_target(
    major: int, target_database: MakeDatabase, request: pytest.FixtureRequest
) -> None:
    rehearsal: Rehearsal = request.getfixturevalue("rehearsal" if major == 18 else "rehearsal16")
    url = target_database(major=major)
    run(url, UNNAMED)
    if major == 16:  # later versions refuse an index on such a function
        run(url, """SET search_path = "it's"; CREATE INDEX by_parts ON versions (parts_of(num))""")
    database = str(value(parse(url, trusted=True), "SELECT current_database()"))
    run(url, f"""ALTER DATABASE "{database}" SET search_path = "it's", public""")
    clone = rehearsal.clone(url)
    assert clone.fingerprint == clone.target_fingerprint
    assert rows(clone.dsn, """SELECT num, parts::text FROM "it's".versions""") == [("1.2", "(1,2)"), ("10.3", "(10,3)")]


@pytest.mark.parametrize("major", [18, 16])
def test_no_way_out_comes_along_and_no_trigger_tells_of_the_loading(
    major: int, target_database: MakeDatabase, request: pytest.FixtureRequest
) -> None:
    rehearsal: Rehearsal = request.getfixturevalue("rehearsal" if major == 18 else "rehearsal16")
    url = target_database(major=major)
    run(url, ODD)
    clone = rehearsal.clone(url)
    assert clone.fingerprint == clone.target_fingerprint
    assert value(clone.dsn, "SELECT count(*) FROM pg_foreign_server") == 1
    assert value(clone.dsn, "SELECT umoptions FROM pg_user_mappings") is None
    assert rows(clone.dsn, "SELECT n, v::text FROM odd.near") == [(1, "[1,2,3]")]
    assert rows(clone.dsn, "TABLE odd.written") == rows(url, "TABLE odd.written")
    assert value(clone.dsn, "SELECT count(*) FROM odd.seen") == 1
    assert value(clone.dsn, "SELECT count(*) FROM pg_publication") == 1


def test_an_extension_in_another_version_is_refused_before_anything_is_made(
    rehearsal: Rehearsal, target_database: MakeDatabase
) -> None:
    url = target_database()
    run(url, "CREATE EXTENSION vector; UPDATE pg_extension SET extversion = '0.0.1' WHERE extname = 'vector'")
    with pytest.raises(Refused, match=r"lacks vector 0\.0\.1\. It has vector 0\.") as refused:
        rehearsal.clone(url)
    assert refused.value.code == "extension_missing"
    assert rehearsal.said == []


def test_what_pg_restore_stumbles_over_is_told_without_the_statement(
    rehearsal: Rehearsal, target_database: MakeDatabase
) -> None:
    """A row that its own foreign key does not admit, as after a load with triggers switched off."""
    url = target_database()
    run(
        url,
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p);"
        "SET session_replication_role = replica; INSERT INTO c VALUES (7)",
    )
    with pytest.raises(Refused, match='violates foreign key constraint "c_p_fkey"') as refused:
        rehearsal.clone(url)
    assert refused.value.code == "clone_failed"
    assert "ALTER TABLE" not in refused.value.sentence
    assert rehearsal.names() == ()


def test_the_password_travels_in_the_environment_alone() -> None:
    dsn = parse("postgresql://u:p%40ss@h:5433/d?sslmode=require", trusted=True)
    variables = environment(dsn)
    assert (variables["PGPASSWORD"], variables["PGHOST"], variables["PGPORT"]) == ("p@ss", "h", "5433")
    assert (variables["PGSSLMODE"], variables["PGPASSFILE"]) == (
        "require",
        "/nonexistent/lockstep-reads-no-password-file",
    )
    with pytest.raises(Refused, match="sslpassword"):
        environment(parse("postgresql://u@h/d?sslpassword=x", trusted=True))


@pytest.mark.parametrize("after", [2, 6, 12, 18])
def test_a_worker_killed_anywhere_leaves_a_clone_that_is_found_and_a_target_that_was_only_read(
    after: int, rehearsal: Rehearsal, target_database: MakeDatabase, pg18: Server
) -> None:
    url = owned_by(pg18, target_database(), ordinary_role(pg18))
    Target(url).apply(*chain("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 5000);"))
    before, receipts = writes(url), rows(url, "TABLE lockstep.migration_history")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(rehearsal.installation), str(after)],
        env={"SOURCE": url, "SERVER": pg18.dsn, "PYTHONPATH": "."},
        check=False,
    )
    assert killed.returncode == -9
    (left,) = rehearsal.names()
    drop_clone(rehearsal.server, left)
    assert rehearsal.names() == ()
    assert (writes(url), rows(url, "TABLE lockstep.migration_history")) == (before, receipts)
