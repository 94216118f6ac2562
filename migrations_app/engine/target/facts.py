"""What a target is and what its user may do there, and the proof that Lockstep can work with it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from migrations_app.engine.errors import Refused
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.identity import read_place
from migrations_app.engine.target.pooler import refuse_pooler
from migrations_app.engine.target.queries import read_sql
from migrations_app.engine.target.version import require_version

FACTS = read_sql("facts.sql")


@dataclass(frozen=True)
class _Row:
    server_version_num: int
    database: str
    database_oid: int
    template: bool
    user: str
    superuser: bool
    can_create_schema: bool
    schema_exists: bool
    schema_usable: bool
    in_recovery: bool
    read_only: bool
    ssl: bool
    sees_other_sessions: bool


@dataclass(frozen=True)
class TargetFacts(_Row):
    """`system_identifier` is empty where the server's administrator has revoked pg_control_system()."""

    system_identifier: str


def read_facts(conn: psycopg.Connection) -> TargetFacts:
    """Read only: works for any role that can connect, also inside a transaction."""
    with conn.cursor(row_factory=class_row(_Row)) as cursor:
        row = cursor.execute(FACTS).fetchone()
    assert row is not None
    return TargetFacts(**vars(row), system_identifier=read_place(conn).system_identifier)


def prove(dsn: Dsn) -> TargetFacts:
    """Connect, look, and raise the first reason why no run could ever work here. Changes nothing."""
    with closing(open_session(dsn, application_name="lockstep:proof")) as conn:
        facts = read_facts(conn)
    require_version(facts.server_version_num)
    refuse_template(facts)
    require_writable(facts)
    require_rights(facts)
    refuse_pooler(dsn)
    return facts


def refuse_template(facts: TargetFacts) -> None:
    """What is applied to a template would turn up in every database made from it, receipts included."""
    if facts.template:
        raise Refused(
            "template_database",
            f"{facts.database} is a template: databases made from it would carry its receipts.",
            not_done="Nothing was changed in the target.",
            next_step="Use the address of a database of its own; CREATE DATABASE makes one.",
        )


def require_writable(facts: TargetFacts) -> None:
    """Refuse a standby and a role that may only read."""
    if not (facts.in_recovery or facts.read_only):
        return
    why = "is a standby" if facts.in_recovery else f"gives {facts.user} read-only transactions"
    raise Refused(
        "read_only_target",
        f"The server of database {facts.database} {why}: nothing can be changed through it.",
        not_done="Nothing was changed in the target.",
        next_step="Use the address of the primary server and a user that may write.",
    )


def require_rights(facts: TargetFacts) -> None:
    """Refuse a role that can neither create the schema `lockstep` nor work in an existing one."""
    if facts.schema_usable or (facts.can_create_schema and not facts.schema_exists):
        return
    missing = "USAGE and CREATE on schema lockstep" if facts.schema_exists else f"CREATE on database {facts.database}"
    raise Refused(
        "missing_rights",
        f"The user {facts.user} lacks the right {missing}.",
        not_done="Nothing was changed in the target.",
        next_step=f"As its owner run: GRANT {missing.replace(' and', ',')} TO {facts.user}; then try again.",
    )
