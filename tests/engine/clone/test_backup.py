"""A restored backup plays the target: copied as it lies there, never changed."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from migrations_app.engine.clone.backup import from_backup
from migrations_app.engine.clone.make import Clone, Sizes
from migrations_app.engine.contract.receipts import read_head
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.dsn import Dsn, parse
from migrations_app.engine.target.identity import check_identity
from tests.conftest import MakeDatabase
from tests.engine.clone.support import Rehearsal, rows, value
from tests.engine.contract.support import Target, chain


@pytest.fixture
def backup(target_database: MakeDatabase) -> Target:
    target = Target(target_database())
    target.apply(*chain("CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 50);"))
    return target


def clone_of(backup: Dsn, rehearsal: Rehearsal) -> Clone:
    return from_backup(
        backup,
        rehearsal.server,
        installation=rehearsal.installation,
        clone=uuid.uuid4(),
        sizes=Sizes(),
        report=rehearsal.said.append,
        should_stop=lambda: False,
    )


@pytest.mark.parametrize("in_use", [False, True])
def test_it_is_a_clone_with_the_backup_s_history(backup: Target, rehearsal: Rehearsal, in_use: bool) -> None:
    before = rows(backup.url, "TABLE lockstep.identity"), backup.receipts()
    with psycopg.connect(backup.url if in_use else rehearsal.server.dsn.conninfo()) as conn:
        conn.execute("SELECT 1")
        clone = clone_of(parse(backup.url, trusted=True), rehearsal)
        assert not conn.closed and conn.execute("SELECT 1").fetchone()
    assert any("copied like a target" in sentence for sentence in rehearsal.said) == in_use
    assert clone.fingerprint == clone.target_fingerprint
    assert value(clone.dsn, "SELECT count(*) FROM t") == 50
    assert {(one.name, one.rows, one.whole) for one in clone.tables} >= {("public.t", 50, True)}
    with psycopg.connect(clone.dsn.conninfo()) as there:
        check_identity(there, environment=clone.uid)
        assert read_head(there).revision_id == "0001_r"
    assert (rows(backup.url, "TABLE lockstep.identity"), backup.receipts()) == before


def test_a_clone_is_no_backup(backup: Target, rehearsal: Rehearsal) -> None:
    clone = clone_of(parse(backup.url, trusted=True), rehearsal)
    with pytest.raises(Refused) as refused:
        clone_of(clone.dsn, rehearsal)
    assert refused.value.code == "source_is_a_clone"
