"""Tables in which an extension keeps configuration: their rows come along, as pg_dump would take them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from migrations_app.embedded import pytest_servers
from migrations_app.embedded.postgres import Server
from tests.conftest import MakeDatabase
from tests.engine.clone.support import Rehearsal, ordinary_role, owned_by, rows, run

SCRIPT = """
CREATE TABLE setting (name text PRIMARY KEY, value int);
CREATE TABLE zone (id int PRIMARY KEY, own boolean);
CREATE TABLE inside (n int);
CREATE SEQUENCE turn;
INSERT INTO setting VALUES ('pace', 1);
INSERT INTO zone VALUES (1, false);
SELECT pg_extension_config_dump('setting', '');
SELECT pg_extension_config_dump('zone', 'WHERE own');
SELECT pg_extension_config_dump('turn', '');
"""


@pytest.fixture
def extension(pg18: Server) -> Iterator[str]:
    """An extension of the test's own, known to the run's server for as long as the test."""
    folder = Path(tempfile.mkdtemp(dir=pytest_servers.home()))
    (folder / "extension").mkdir()
    (folder / "extension" / "configured.control").write_text("default_version = '1'\nrelocatable = true\n")
    (folder / "extension" / "configured--1.sql").write_text(SCRIPT)
    folder.chmod(0o755)
    with psycopg.connect(pg18.dsn, autocommit=True) as admin:
        path = sql.Literal(f"{folder}:$system")
        admin.execute(sql.SQL("ALTER ROLE CURRENT_USER SET extension_control_path = {}").format(path))
        yield "configured"
        admin.execute("ALTER ROLE CURRENT_USER RESET extension_control_path")


def test_its_rows_and_positions_come_along(extension: str, target_database: MakeDatabase, rehearsal: Rehearsal) -> None:
    url = target_database()
    run(
        url,
        f"""CREATE EXTENSION {extension};
        UPDATE setting SET value = 7; INSERT INTO setting VALUES ('depth', 3);
        INSERT INTO zone VALUES (2, true); INSERT INTO inside VALUES (1); SELECT setval('turn', 40);""",
    )
    clone = rehearsal.clone(url)
    assert rows(clone.dsn, "TABLE setting ORDER BY name") == [("depth", 3), ("pace", 7)]
    assert rows(clone.dsn, "TABLE zone ORDER BY id") == [(1, False), (2, True)]
    assert rows(clone.dsn, "TABLE inside") == []
    assert rows(clone.dsn, "SELECT last_value FROM turn") == [(40,)]


def test_what_the_target_s_user_may_not_read_is_left_out(
    extension: str, target_database: MakeDatabase, rehearsal: Rehearsal, pg18: Server
) -> None:
    url = target_database()
    run(url, f"CREATE EXTENSION {extension}; INSERT INTO setting VALUES ('depth', 3); CREATE SCHEMA hidden;")
    run(url, f"ALTER EXTENSION {extension} SET SCHEMA hidden")
    clone = rehearsal.clone(owned_by(pg18, url, ordinary_role(pg18)))
    assert clone.tables == ()
