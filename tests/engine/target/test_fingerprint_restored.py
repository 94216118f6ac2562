"""A dump that is restored gives the fingerprint it was taken from."""

from __future__ import annotations

import subprocess

import psycopg
import pytest

from migrations_app.embedded.wheels import postgres_bin
from migrations_app.engine.target.compare import compare
from migrations_app.engine.target.dsn import parse
from migrations_app.engine.target.fingerprint import catalogue, fingerprint
from tests.engine.target import rich
from tests.engine.target.conftest import MakeDatabase, OpenSession


@pytest.mark.parametrize("options", [[], ["--schema-only"]], ids=["all", "schema"])
@pytest.mark.parametrize("major", [18, 16])
def test_a_restored_dump_equals_its_original(
    target_database: MakeDatabase, session: OpenSession, major: int, options: list[str]
) -> None:
    source, target = target_database(major=major), target_database(major=major)
    original = session(parse(source, trusted=False))
    rich.fill(original)
    _change_its_mind(original)
    _restore(major, _dump(major, source, options), target)
    copy = session(parse(target, trusted=False))
    assert [one.sentence for one in compare(catalogue(original), catalogue(copy))] == []
    assert fingerprint(original) == fingerprint(copy)


@pytest.mark.parametrize("major", [18, 16, 15])
def test_expressions_that_are_printed_otherwise_after_a_restore_are_told_alike(
    target_database: MakeDatabase, session: OpenSession, major: int
) -> None:
    source, target = target_database(major=major), target_database(major=major)
    original = session(parse(source, trusted=False))
    original.execute((rich.HERE / "expressions.sql").read_bytes())
    _restore(major, _dump(major, source, []), target)
    copy = session(parse(target, trusted=False))
    assert [one.sentence for one in compare(catalogue(original), catalogue(copy))] == []
    assert fingerprint(original) == fingerprint(copy)


def _change_its_mind(conn: psycopg.Connection) -> None:
    """What leaves traces in the catalogue that no dump carries: dropped columns, ACLs given back, options reordered."""
    for statement in rich.no_changes(conn):
        for one in statement.split("; "):
            conn.execute(one.encode())


def _dump(major: int, url: str, options: list[str]) -> bytes:
    done = subprocess.run([str(postgres_bin(major) / "pg_dump"), *options, url], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def _restore(major: int, script: bytes, url: str) -> None:
    command = [str(postgres_bin(major) / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", url]
    done = subprocess.run(command, input=script, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
