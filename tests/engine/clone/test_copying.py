"""Copies of a clone, their removal, and the proof that a session is in a clone."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from migrations_app.embedded.postgres import Server
from migrations_app.engine.clone.copying import clones_on, copy_clone, drop_clone
from migrations_app.engine.clone.guard import require_clone
from migrations_app.engine.errors import Refused
from tests.conftest import MakeDatabase
from tests.engine.clone.support import Rehearsal, ordinary_role, owned_by, rows, run, value
from tests.engine.contract.support import Target, chain

DRESS = """
SELECT pg_get_userbyid(datdba), (SELECT array_agg(DISTINCT a::text ORDER BY a::text) FROM unnest(datacl) a),
  (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0), encoding, datcollate
FROM pg_database d WHERE datname = current_database()
"""


@pytest.fixture
def url(pg18: Server, target_database: MakeDatabase) -> str:
    superuser = target_database()
    url = owned_by(pg18, superuser, ordinary_role(pg18))
    name = url.rpartition("/")[2]
    run(
        superuser,
        f"ALTER DATABASE {name} SET search_path = one, \"Two, three\"; ALTER DATABASE {name} SET app.x = 'a b'",
    )
    run(superuser, f"ALTER ROLE shop_app IN DATABASE {name} SET work_mem = '5MB'; CREATE SCHEMA one")
    run(superuser, "GRANT ALL ON SCHEMA one TO shop_app")
    Target(url).apply(*chain("CREATE TABLE one.t (n int); INSERT INTO one.t SELECT generate_series(1, 100);"))
    return url


def test_a_copy_is_the_clone_once_more(url: str, rehearsal: Rehearsal) -> None:
    clone = rehearsal.clone(url)
    with psycopg.connect(clone.dsn.conninfo(), autocommit=True) as idle:
        idle.execute("UPDATE t SET n = n + 1000 WHERE n = 1")
        copy = copy_clone(clone, rehearsal.server, installation=rehearsal.installation, part="before")
    assert (copy.uid, copy.fingerprint, copy.name) == (clone.uid, clone.fingerprint, f"{clone.name}_before")
    assert rows(copy.dsn, "SELECT min(n), max(n), count(*) FROM t") == [(2, 1001, 100)]
    assert rows(copy.dsn, "TABLE lockstep.migration_history") == rows(url, "TABLE lockstep.migration_history")
    assert rows(copy.dsn, DRESS) == rows(clone.dsn, DRESS)
    assert rehearsal.names() == (clone.name, copy.name)
    with psycopg.connect(copy.dsn.conninfo()) as conn:
        require_clone(conn, clone.uid)


def test_sessions_begin_as_in_the_target_and_strangers_stay_outside(
    url: str, rehearsal: Rehearsal, pg18: Server
) -> None:
    clone = rehearsal.clone(url)
    asked = """SELECT current_user, session_user, current_setting('search_path'), current_setting('app.x'),
      current_setting('work_mem'), has_database_privilege(current_database(), 'CREATE'),
      (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()) IS NOT NULL"""
    assert rows(clone.dsn, asked) == rows(url, asked)
    ordinary_role(pg18, "somebody_else")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(pg18.url(clone.name, "somebody_else", "an-ordinary-password"))


def test_only_this_clone_in_its_own_place_passes(url: str, rehearsal: Rehearsal) -> None:
    clone = rehearsal.clone(url)
    other = rehearsal.clone(url)
    environment = value(url, "SELECT environment FROM lockstep.identity")
    with psycopg.connect(clone.dsn.conninfo()) as conn:
        require_clone(conn, clone.uid)
        for wrong in (other.uid, environment, uuid.uuid4()):
            _refused(conn, wrong)
    with psycopg.connect(url) as conn:
        _refused(conn, clone.uid)
        _refused(conn, environment)


def test_a_database_that_only_has_the_name_or_only_the_row_does_not_pass(url: str, rehearsal: Rehearsal) -> None:
    clone = rehearsal.clone(url)
    name = f"{clone.name}_trace"
    with rehearsal.server.administer() as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {clone.name}")
    with psycopg.connect(rehearsal.server.admin_dsn(name).conninfo()) as conn:
        _refused(conn, clone.uid)  # the row names another place
    with rehearsal.server.administer() as admin:
        admin.execute(f"ALTER DATABASE {clone.name} RENAME TO only_the_row")
        try:
            with psycopg.connect(rehearsal.server.dsn.in_database("only_the_row").conninfo()) as conn:
                _refused(conn, clone.uid)
        finally:
            admin.execute("DROP DATABASE only_the_row WITH (FORCE)")


def _refused(conn: psycopg.Connection, clone: uuid.UUID) -> None:
    with pytest.raises(Refused) as refused:
        require_clone(conn, clone)
    assert refused.value.code == "not_a_clone"


def test_a_clone_is_removed_whoever_is_in_it_and_only_once(url: str, rehearsal: Rehearsal) -> None:
    clone = rehearsal.clone(url)
    with psycopg.connect(clone.dsn.conninfo()) as conn:
        conn.execute("LOCK TABLE t")
        drop_clone(rehearsal.server, clone.name)
        with pytest.raises(psycopg.OperationalError):
            conn.execute("SELECT 1")
    drop_clone(rehearsal.server, clone.name)
    assert rehearsal.names() == ()


def test_no_other_database_is_removed_or_listed(url: str, rehearsal: Rehearsal) -> None:
    with pytest.raises(Refused):
        drop_clone(rehearsal.server, url.rpartition("/")[2])
    assert value(url, "SELECT count(*) FROM t") == 100
    clone = rehearsal.clone(url)
    assert clones_on(rehearsal.server, uuid.uuid4()) == ()
    assert clones_on(rehearsal.server, rehearsal.installation) == (clone.name,)
