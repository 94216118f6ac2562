from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from migrations_app.embedded.postgres import Server
from migrations_app.engine.contract.bootstrap import ensure_objects
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.identity import (
    Identity,
    Place,
    adopt_identity,
    check_identity,
    claim_identity,
    read_identity,
    read_place,
    release_identity,
)
from tests.engine.target.conftest import MakeDatabase, OpenSession

INSTALLATION = uuid4()


def claim(conn: psycopg.Connection, environment: UUID, name: str = "prod-eu") -> Identity:
    return claim_identity(conn, installation=INSTALLATION, environment=environment, service="orders", name=name)


def adopt(conn: psycopg.Connection, environment: UUID) -> Identity:
    return adopt_identity(conn, installation=INSTALLATION, environment=environment, service="orders", name="staging")


def refusal(verb: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        verb()
    return caught.value


@pytest.fixture
def home(conn: psycopg.Connection) -> psycopg.Connection:
    """A target with Lockstep's objects and no identity yet."""
    ensure_objects(conn)
    return conn


def test_a_strange_database_has_no_identity(conn: psycopg.Connection) -> None:
    assert read_identity(conn) is None
    conn.execute("CREATE SCHEMA lockstep")
    assert read_identity(conn) is None
    assert refusal(lambda: check_identity(conn, environment=uuid4())).code == "identity_missing"


def test_it_registers_a_database_once(home: psycopg.Connection) -> None:
    environment = uuid4()
    assert read_identity(home) is None
    identity = claim(home, environment)
    place = read_place(home)
    assert (identity.installation, identity.environment) == (INSTALLATION, environment)
    assert (identity.system_identifier, identity.database_oid) == (
        place.system_identifier,
        place.database_oid,
    )
    assert claim(home, environment) == identity
    assert check_identity(home, environment=environment) == identity == read_identity(home)


def test_it_refuses_the_database_of_another_environment(home: psycopg.Connection) -> None:
    claim(home, uuid4())
    for verb in (lambda: claim(home, uuid4()), lambda: check_identity(home, environment=uuid4())):
        error = refusal(verb)
        assert error.code == "other_environment"
        assert error.message == "This database belongs to service orders, environment prod-eu."


def test_of_two_claims_at_once_one_wins(dsn: Dsn, home: psycopg.Connection, session: OpenSession) -> None:
    first, second = session(dsn), session(dsn)
    answers: list[str] = []

    def rival() -> None:
        answers.append(refusal(lambda: claim(second, uuid4(), "prod-us")).message)

    with first.transaction():
        claim(first, uuid4())
        thread = threading.Thread(target=rival)
        thread.start()
        while home.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,):
            assert thread.is_alive()
    thread.join(timeout=10)
    assert answers == ["This database belongs to service orders, environment prod-eu."]


def test_after_a_claim_was_taken_back_the_rival_wins(dsn: Dsn, home: psycopg.Connection, session: OpenSession) -> None:
    first, second = session(dsn), session(dsn)
    won: list[str] = []
    with first.transaction(force_rollback=True):
        claim(first, uuid4())
        thread = threading.Thread(target=lambda: won.append(claim(second, uuid4(), "prod-us").name))
        thread.start()
        while home.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,):
            assert thread.is_alive()
    thread.join(timeout=10)
    assert won == ["prod-us"]


def test_it_tells_a_copy_in_the_same_cluster_from_the_original(
    dsn: Dsn, home: psycopg.Connection, session: OpenSession
) -> None:
    environment = uuid4()
    claim(home, environment)
    home.close()
    copy = _copied(dsn, session)
    error = refusal(lambda: check_identity(copy, environment=environment))
    assert error.code == "restored_copy"
    assert error.message.startswith("This database is a copy of service orders, environment prod-eu,")
    assert refusal(lambda: claim(copy, uuid4(), "staging")).code == "restored_copy"
    copy.close()


def test_it_tells_a_dump_restored_elsewhere_from_the_original(
    dsn: Dsn,
    home: psycopg.Connection,
    session: OpenSession,
    target_database: MakeDatabase,
    pg16: Server,
    pg18: Server,
) -> None:
    """The dump of one cluster in another one, as a restore from a backup would leave it."""
    environment = uuid4()
    claim(home, environment)
    dump = subprocess.run(
        [pg18.bin_dir / "pg_dump", "--data-only", "--table=lockstep.identity", pg18.url(dsn.dbname)],
        capture_output=True,
        check=True,
    ).stdout
    with psycopg.connect(target_database(major=16), autocommit=True) as elsewhere:
        ensure_objects(elsewhere)
        subprocess.run(
            [pg16.bin_dir / "psql", "-q", pg16.url(elsewhere.info.dbname)],
            input=_without_newer_settings(dump),
            check=True,
            capture_output=True,
        )
        assert read_identity(elsewhere) == read_identity(home)
        assert refusal(lambda: check_identity(elsewhere, environment=environment)).code == "restored_copy"


def test_it_adopts_a_copy_under_a_new_name(dsn: Dsn, home: psycopg.Connection, session: OpenSession) -> None:
    claim(home, uuid4())
    home.close()
    copy, staging = _copied(dsn, session), uuid4()
    adopted = adopt(copy, staging)
    assert adopted == check_identity(copy, environment=staging) == read_identity(copy)
    assert adopted.name == "staging" and adopted.database_oid == read_place(copy).database_oid
    copy.close()


def test_it_does_not_adopt_a_database_that_is_no_copy(home: psycopg.Connection) -> None:
    assert refusal(lambda: adopt(home, uuid4())).code == "identity_missing"
    claim(home, uuid4())
    assert refusal(lambda: adopt(home, uuid4())).code == "other_environment"


def test_it_releases_only_its_own(home: psycopg.Connection) -> None:
    environment = uuid4()
    claim(home, environment)
    assert not release_identity(home, environment=uuid4())
    assert read_identity(home) is not None
    assert release_identity(home, environment=environment)
    assert read_identity(home) is None
    assert not release_identity(home, environment=environment)


def test_releasing_a_strange_database_is_no_error(conn: psycopg.Connection) -> None:
    assert not release_identity(conn, environment=uuid4())


@pytest.mark.parametrize(("here", "same"), [("", True), ("1", True), ("2", False)])
def test_an_unknown_identifier_leaves_only_the_oid_to_compare(here: str, same: bool) -> None:
    identity = Identity(uuid4(), uuid4(), "orders", "prod", "1", 5, datetime.now(UTC))
    assert identity.written_at(Place(here, 5)) is same
    assert not identity.written_at(Place(here, 6))


def _copied(dsn: Dsn, session: OpenSession) -> psycopg.Connection:
    name = f"{dsn.dbname}_copy"
    keeper = session(dsn.in_database("postgres"))
    keeper.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
    keeper.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(dsn.dbname)))
    return session(dsn.in_database(name))


def _without_newer_settings(dump: bytes) -> bytes:
    return b"\n".join(line for line in dump.splitlines() if b"transaction_timeout" not in line) + b"\n"
