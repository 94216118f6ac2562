from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from migrations_app.embedded.postgres import Server
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.target.dsn import Dsn, parse
from migrations_app.engine.target.facts import prove, read_facts, require_writable
from tests.engine.target.conftest import MakeDatabase, OpenSession


@pytest.mark.parametrize("major", [16, 18])
def test_it_reads_what_a_target_is(target_database: MakeDatabase, session: OpenSession, major: int) -> None:
    dsn = parse(target_database(major=major), trusted=False)
    conn = session(dsn)
    facts = read_facts(conn)
    assert facts.server_version_num // 10000 == major
    assert (facts.database, facts.user) == (dsn.dbname, dsn.user)
    assert facts.superuser and facts.can_create_schema and facts.sees_other_sessions
    assert not (facts.schema_exists or facts.schema_usable or facts.in_recovery or facts.read_only or facts.ssl)
    place = conn.execute(
        "SELECT oid::bigint, (SELECT system_identifier::text FROM pg_control_system()) "
        "FROM pg_database WHERE datname = current_database()"
    )
    assert place.fetchone() == (facts.database_oid, facts.system_identifier)


def test_it_reads_them_as_an_ordinary_user_too(plain_role: Dsn, session: OpenSession) -> None:
    """pg_control_system() is open to everybody on 14 to 18."""
    facts = read_facts(session(plain_role))
    assert not facts.superuser and not facts.can_create_schema and not facts.sees_other_sessions
    assert facts.system_identifier.isdigit()


def test_it_does_without_the_system_identifier_where_that_is_revoked(
    conn: psycopg.Connection, plain_role: Dsn, session: OpenSession
) -> None:
    conn.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    assert read_facts(session(plain_role)).system_identifier == ""


def test_a_proof_needs_the_right_to_create_a_schema(conn: psycopg.Connection, plain_role: Dsn) -> None:
    with pytest.raises(Refused) as caught:
        prove(plain_role)
    assert caught.value.code == "missing_rights"
    assert caught.value.message == (
        f"The user {plain_role.user} lacks the right CREATE on database {plain_role.dbname}."
    )
    conn.execute(
        sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(
            sql.Identifier(plain_role.dbname), sql.Identifier(plain_role.user)
        )
    )
    assert prove(plain_role).can_create_schema


def test_a_proof_needs_rights_in_a_schema_that_exists(conn: psycopg.Connection, plain_role: Dsn) -> None:
    conn.execute("CREATE SCHEMA lockstep")
    with pytest.raises(Refused) as caught:
        prove(plain_role)
    assert caught.value.code == "missing_rights"
    role = sql.Identifier(plain_role.user)
    conn.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA lockstep TO {}").format(role))
    assert prove(plain_role).schema_usable


def test_what_a_refusal_for_rights_advises_works(conn: psycopg.Connection, plain_role: Dsn) -> None:
    """Its next step is a statement that an owner can paste."""
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            prove(plain_role)
        statement = caught.value.next_step.partition("run: ")[2].partition(";")[0]
        conn.execute(statement)
        assert prove(plain_role)
        conn.execute("CREATE SCHEMA IF NOT EXISTS lockstep")


def test_a_proof_refuses_a_role_that_may_only_read(conn: psycopg.Connection, plain_role: Dsn) -> None:
    conn.execute(
        sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(sql.Identifier(plain_role.user))
    )
    with pytest.raises(Refused) as caught:
        prove(plain_role)
    assert caught.value.code == "read_only_target"
    assert f"gives {plain_role.user} read-only transactions" in caught.value.message


def test_a_proof_refuses_a_standby(conn: psycopg.Connection) -> None:
    with pytest.raises(Refused) as caught:
        require_writable(replace(read_facts(conn), in_recovery=True))
    assert caught.value.code == "read_only_target" and "is a standby" in caught.value.message


def test_a_proof_refuses_a_template(pg18: Server) -> None:
    with pytest.raises(Refused) as caught:
        prove(parse(pg18.url("template1"), trusted=False))
    assert caught.value.code == "template_database"


def test_a_proof_changes_nothing(dsn: Dsn, conn: psycopg.Connection) -> None:
    before = conn.execute("SELECT count(*) FROM pg_class").fetchone()
    assert prove(dsn).database == dsn.dbname
    assert conn.execute("SELECT count(*) FROM pg_class").fetchone() == before
    assert conn.execute("SELECT to_regnamespace('lockstep')").fetchone() == (None,)


def test_a_proof_tells_when_nobody_is_there(dsn: Dsn) -> None:
    with pytest.raises(LockstepError) as caught:
        prove(dsn.in_database("gone"))
    assert caught.value.code == "unknown_database"
