"""A rehearsal server: where clones live, how its administrator gets in, and what has to be true before it is used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from migrations_app.engine.clone.names import require_clone_name
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.identity import read_identity

APPLICATION = "lockstep:rehearsal"
SETTING = "LOCKSTEP_REHEARSAL_SERVERS"

# Nothing in a clone has to survive a crash. With an empty path no function of the target can stand in for one of
# PostgreSQL's own; a statement that is meant for another session's limits must not be cut off by the role's.
ADMIN_SETTINGS = """
SELECT pg_catalog.set_config('search_path', '', false), pg_catalog.set_config('synchronous_commit', 'off', false),
       pg_catalog.set_config('statement_timeout', '0', false), pg_catalog.set_config('lock_timeout', '0', false),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false)
"""

# An event trigger that came along would write down what is done to finish the clone.
QUIET = """
SELECT pg_catalog.set_config('session_replication_role', 'replica', false) FROM pg_catalog.pg_roles
WHERE rolname = current_user AND rolsuper
"""


@dataclass(frozen=True)
class RehearsalServer:
    """`dsn` leads to the maintenance database as a role that may make databases and roles."""

    dsn: Dsn
    major: int
    programs: Path

    def admin_dsn(self, name: str) -> Dsn:
        """The server's own user in a clone; what a revision does must go through the clone's address instead."""
        require_clone_name(name)
        return self.dsn.in_database(name)

    @contextmanager
    def administer(self, name: str = "") -> Iterator[psycopg.Connection]:
        """A session in the maintenance database, or in the clone of that name."""
        conn = open_session(self.admin_dsn(name) if name else self.dsn, application_name=APPLICATION)
        with conn:
            conn.execute(ADMIN_SETTINGS)
            conn.execute(QUIET)
            yield conn


def require_major(server: RehearsalServer, major: int) -> None:
    """A clone on another major version would take other locks and print other definitions."""
    if server.major == major:
        return
    raise Refused(
        "no_rehearsal_server",
        f"The target runs PostgreSQL {major}, and the rehearsal server {server.dsn.safe} runs {server.major}.",
        not_done="No clone was made.",
        next_step=f"Add the address of a PostgreSQL {major} server to {SETTING}.",
    )


def refuse_registered(conn: psycopg.Connection) -> None:
    """The maintenance database must not be somebody's target: an address was put in the wrong place then."""
    identity = read_identity(conn)
    if identity is None:
        return
    raise Refused(
        "rehearsal_server_is_target",
        f"The rehearsal server's address leads to the database of {identity.spoken}.",
        not_done="No clone was made.",
        next_step=f"Name a database that is nobody's target in {SETTING}, such as postgres, best on a separate server.",
    )


def is_superuser(conn: psycopg.Connection) -> bool:
    row = conn.execute("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])
