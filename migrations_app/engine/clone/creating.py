"""Creates the empty database of a clone, gives it what is granted and set on the original, and closes it to others."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import psycopg
from psycopg import sql

from migrations_app.engine.clone.facts import Database, Extension, read_mappings
from migrations_app.engine.clone.source import named_failures
from migrations_app.engine.errors import Refused

# The session is the right role already; the others name folders, libraries and limits of the original's machine.
NOT_SET = frozenset(
    {
        "role", "session_authorization", "session_preload_libraries", "local_preload_libraries", "default_tablespace",
        "temp_tablespaces", "default_transaction_read_only",
    }
)  # fmt: skip
AVAILABLE = "SELECT name::text || ' ' || version FROM pg_catalog.pg_available_extension_versions"
DBLINK = """
SELECT p.oid::regprocedure::text,
       ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
             FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee <> p.proowner)
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_catalog.pg_extension e ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'dblink'
"""


def require_extensions(conn: psycopg.Connection, extensions: Iterable[Extension]) -> None:
    """Each in the target's own version: with another the clone would not be the same schema."""
    offered = {row[0] for row in conn.execute(AVAILABLE).fetchall()}
    missing = [one for one in extensions if f"{one.name} {one.version}" not in offered]
    if not missing:
        return
    other = sorted(name for name in offered if name.rpartition(" ")[0] in {one.name for one in missing})
    has = f" It has {', '.join(other)}." if other else ""
    raise Refused(
        "extension_missing",
        f"The rehearsal server lacks {', '.join(f'{one.name} {one.version}' for one in missing)}.{has}",
        not_done="No clone was made.",
        next_step="Install that version there, or name a rehearsal server that has it.",
    )


def create_database(conn: psycopg.Connection, name: str, like: Database) -> None:
    """Encoding and collation as there; owned by the same role."""
    query = sql.SQL(
        "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}"
    ).format(
        sql.Identifier(name), sql.Identifier(like.owner), *map(sql.Literal, (like.encoding, like.collate, like.ctype))
    )  # fmt: skip
    if like.provider == "i":
        query += sql.SQL(" LOCALE_PROVIDER icu ICU_LOCALE {}").format(sql.Literal(like.locale))
        if like.rules:
            query += sql.SQL(" ICU_RULES {}").format(sql.Literal(like.rules))
    elif like.provider == "b":
        query += sql.SQL(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {}").format(sql.Literal(like.locale))
    elif conn.info.server_version >= 150000:
        query += sql.SQL(" LOCALE_PROVIDER libc")
    with named_failures("the rehearsal server"):
        conn.execute(query)


def dress(conn: psycopg.Connection, name: str, like: Database, *, role: str, report: Callable[[str], None]) -> None:
    """Privileges and settings of the database; nobody but its owner and `role` may connect."""
    database = sql.Identifier(name)
    with named_failures("the rehearsal server"):
        conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        conn.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(role)))
        for grant in like.grants:
            grantee, _, privilege = grant.rpartition(":")
            whom = sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC")
            conn.execute(sql.SQL("GRANT {} ON DATABASE {} TO {}").format(sql.SQL(privilege), database, whom))
    for setting in like.settings:
        _set(conn, database, setting, report)


def _set(conn: psycopg.Connection, database: sql.Identifier, setting: str, report: Callable[[str], None]) -> None:
    """Taken over from the session's own value, which PostgreSQL then writes as it wrote the original's."""
    name, _, value = setting.partition("=")
    if name in NOT_SET:
        return
    try:
        with conn.transaction():
            conn.execute("SELECT pg_catalog.set_config(%s, %s, true)", [name, value])
            named = sql.SQL(".").join(sql.Identifier(part) for part in name.split("."))
            conn.execute(sql.SQL("ALTER DATABASE {} SET {} FROM CURRENT").format(database, named))
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        report(f"The setting {name} of the target's user was left out: {error.diag.message_primary}.")


def prepare(conn: psycopg.Connection, *, schemas: frozenset[str], extensions: tuple[Extension, ...]) -> None:
    """Take away what every new database has and the original lacks, and make its extensions in their versions."""
    with named_failures("the rehearsal server"):
        if "public" not in schemas:
            conn.execute("DROP SCHEMA IF EXISTS public")
        if "plpgsql" not in {one.name for one in extensions}:
            conn.execute("DROP EXTENSION IF EXISTS plpgsql")
        for one in extensions:
            where = sql.SQL(" SCHEMA {}").format(sql.Identifier(one.schema)) if one.schema else sql.SQL("")
            conn.execute(
                sql.SQL("CREATE EXTENSION IF NOT EXISTS {} WITH {} VERSION {}").format(
                    sql.Identifier(one.name), where, sql.Literal(one.version)
                )
            )


def close_ways_out(conn: psycopg.Connection, mappings: Iterable[str]) -> None:
    """A rehearsed statement must not change another database: no foreign server may know whom to log in as, and no
    function of dblink may be called."""
    for mapping in read_mappings(conn):
        conn.execute(sql.SQL("DROP USER MAPPING FOR {}").format(sql.SQL(mapping)))
    for mapping in mappings:
        # There as in the original, but without the name and the password in it.
        conn.execute(sql.SQL("CREATE USER MAPPING FOR {}").format(sql.SQL(mapping)))
    for function, callers in conn.execute(DBLINK).fetchall():
        for caller in callers:
            query = sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM {} CASCADE")
            conn.execute(query.format(sql.SQL(function), sql.SQL(caller)))
