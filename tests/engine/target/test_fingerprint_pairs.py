from __future__ import annotations

import psycopg
import pytest

from migrations_app.engine.target.compare import Difference, compare
from migrations_app.engine.target.dsn import Dsn, parse
from migrations_app.engine.target.fingerprint import CatalogueObject, catalogue, hash_of
from tests.engine.target import rich
from tests.engine.target.conftest import MakeDatabase, OpenSession
from tests.sampling import sample


@pytest.fixture(params=[18, 16])
def filled(request: pytest.FixtureRequest, target_database: MakeDatabase, session: OpenSession) -> psycopg.Connection:
    conn = session(_dsn(target_database, request.param))
    rich.fill(conn)
    return conn


def test_every_pair_differs_and_the_difference_names_its_object(filled: psycopg.Connection) -> None:
    before = catalogue(filled)
    changes = rich.changes(filled)
    assert len(changes) > 450
    seen = {hash_of(before).sha256: "nothing"}
    wrong = []
    for change in sample(changes, 3 if filled.info.server_version >= 180000 else 9):
        after = _changed(filled, change.statement)
        strict = hash_of(after).sha256
        sentences = [one.sentence for one in compare(before, after)]
        if strict in seen:
            wrong.append(f"{change.statement}: the same as {seen[strict]}")
        if not any(change.named in sentence for sentence in sentences):
            wrong.append(f"{change.statement}: {sentences}")
        seen[strict] = change.statement
    assert wrong == []
    assert catalogue(filled) == before


def test_what_is_no_change_is_no_difference(filled: psycopg.Connection) -> None:
    before = catalogue(filled)
    harmless = rich.no_changes(filled)
    assert len(harmless) > 60
    noticed: list[tuple[str, tuple[Difference, ...]]] = []
    for statement in harmless:
        for one in statement.split("; "):
            filled.execute(one.encode())
        after = catalogue(filled)
        if hash_of(after) != hash_of(before):
            noticed.append((statement, compare(before, after)))
        before = after
    assert noticed == []


def test_no_two_objects_share_a_name(filled: psycopg.Connection) -> None:
    objects = catalogue(filled)
    assert len({(one.kind, one.name) for one in objects}) == len(objects) > 250


def _changed(conn: psycopg.Connection, statement: str) -> tuple[CatalogueObject, ...]:
    with conn.transaction(force_rollback=True):
        conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
        conn.execute(statement.encode())
        return catalogue(conn)


def _dsn(target_database: MakeDatabase, major: int) -> Dsn:
    return parse(target_database(major=major), trusted=False)
