"""Roles of the target that the rehearsal server must know, made there as stand-ins; existing ones are never altered.

The target's own user gets a stand-in that can log in, so that a rehearsal's sessions are that role in every respect:
what they may do, see of each other and cancel. Its password is derived from the server's own and kept nowhere.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

import psycopg
from psycopg import conninfo, sql

from migrations_app.engine.clone.facts import Role
from migrations_app.engine.clone.server import SETTING, RehearsalServer, is_superuser
from migrations_app.engine.contract.bootstrap import TARGET_KEY
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.identity import Place, read_place

MARK = "Lockstep: stands in for a role of a rehearsed target"
LOCK = (TARGET_KEY, 9)  # in a rehearsal server

# They would let a revision run programs and read files of the rehearsal server's machine.
NOT_GRANTED = frozenset({"pg_execute_server_program", "pg_read_server_files", "pg_write_server_files"})
KNOWN = """
SELECT rolname::text, coalesce(pg_catalog.shobj_description(oid, 'pg_authid') = %s, false)
FROM pg_catalog.pg_roles WHERE rolname = ANY (%s)
"""

GROUPS = """
SELECT pg_catalog.pg_get_userbyid(m.roleid)::text FROM pg_catalog.pg_auth_members m
JOIN pg_catalog.pg_roles r ON r.oid = m.member WHERE r.rolname = %s
"""


def ensure_roles(conn: psycopg.Connection, roles: Sequence[Role], *, login: str, secret: str) -> bool:
    """Make what is missing; True when `login` is a stand-in, whose password is then `secret`."""
    with conn.transaction():
        # Two clones at once would make the same role twice.
        conn.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s, %s)", LOCK)
        known: dict[str, bool] = dict(conn.execute(KNOWN, [MARK, [role.name for role in roles]]).fetchall())
        superuser = is_superuser(conn)
        for role in roles:
            if role.name not in known:
                _create(conn, role, superuser=superuser)
        ours = {role.name for role in roles if known.get(role.name, True)}
        for role in roles:
            if role.name in ours:
                _enrol(conn, role)
        if not superuser:
            _join(conn, [role.name for role in roles])
        if login in ours:
            _let_in(conn, login, secret)
    return login in ours


def login_dsn(
    server: RehearsalServer, conn: psycopg.Connection, *, source: Dsn, place: Place, role: str, ours: bool, name: str
) -> Dsn:
    """The address that leads into the clone as the target's user. Refused where nobody knows a password for it."""
    if ours:
        return server.dsn.as_user(role, derived_password(server.dsn, role)).in_database(name)
    if role == server.dsn.user:
        return server.dsn.in_database(name)
    here = read_place(conn).system_identifier
    if source.user == role and here and here == place.system_identifier:
        return source.in_database(name)
    raise Refused(
        "role_taken",
        f"The rehearsal server has a role {role} of its own, so no session there can be the target's user {role}.",
        not_done="No clone was made.",
        next_step="Use a rehearsal server that serves nothing else, or rename that role there.",
    )


def derived_password(server: Dsn, role: str) -> str:
    """The same in every process that knows the server's address, and of no use on any other server."""
    password = str(conninfo.conninfo_to_dict(server.conninfo()).get("password") or "")
    if not password:
        return ""
    return hmac.new(password.encode(), f"lockstep-clone:{role}".encode(), sha256).hexdigest()


def _create(conn: psycopg.Connection, role: Role, *, superuser: bool) -> None:
    """Without the right to log in, and without rights over the whole server that a schema change has no use for."""
    words = ["NOLOGIN", "INHERIT" if role.inherit else "NOINHERIT"]
    if superuser:
        words += ["SUPERUSER"] * role.superuser + ["BYPASSRLS"] * role.bypassrls
    name = sql.Identifier(role.name)
    conn.execute(sql.SQL("CREATE ROLE {} {}").format(name, sql.SQL(" ".join(words))))
    conn.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(name, sql.Literal(MARK)))


def _enrol(conn: psycopg.Connection, role: Role) -> None:
    """Memberships of a stand-in; another target's stand-in of the same name may have fewer."""
    rows = conn.execute(GROUPS, [role.name]).fetchall()
    have = {row[0] for row in rows}
    for group in role.member_of:
        if group not in have and group not in NOT_GRANTED:
            conn.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(role.name)))


def _join(conn: psycopg.Connection, names: Sequence[str]) -> None:
    """A server's user that is no superuser hands objects only to roles that it is a member of."""
    for name in names:
        row = conn.execute("SELECT pg_catalog.pg_has_role(%s::name, 'MEMBER')", [name]).fetchone()
        if row is None or not row[0]:
            conn.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(name)))


def _let_in(conn: psycopg.Connection, name: str, secret: str) -> None:
    """The password is sent as a SCRAM verifier, so it can't end in a log."""
    if not secret:
        raise Refused(
            "rehearsal_server_password",
            f"The rehearsal server's address has no password, from which that of the stand-in {name} is derived.",
            not_done="No clone was made.",
            next_step=f"Give that address a user with a password in {SETTING}.",
        )
    verifier = conn.pgconn.encrypt_password(secret.encode(), name.encode(), b"scram-sha-256").decode()
    conn.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(verifier)))
