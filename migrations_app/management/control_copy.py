"""The control database as one file and back: pg_dump's custom format, and beside it what the file is and holds."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from psycopg import conninfo, sql
from psycopg.pq import Conninfo

from migrations_app import __version__
from migrations_app.engine.clone.programs import environment
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.dsn import Dsn, parse
from migrations_app.fleet.rehearsal_servers import programs_for

ASIDE = "before_restore_"
_SAID = 500
_CHUNK = 1 << 20

_HOLDS = """
SELECT (SELECT name FROM django_migrations WHERE app = 'migrations_app' ORDER BY name DESC LIMIT 1),
       coalesce((SELECT seq FROM migrations_app_auditentry ORDER BY seq DESC LIMIT 1), 0),
       coalesce((SELECT encode(hash, 'hex') FROM migrations_app_auditentry ORDER BY seq DESC LIMIT 1), '')
"""
_RELATIONS = """
SELECT count(*) FROM pg_catalog.pg_class c
 WHERE c.relnamespace = pg_catalog.current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
"""
_OTHERS = """
SELECT DISTINCT coalesce(nullif(application_name, ''), usename, 'unnamed') FROM pg_catalog.pg_stat_activity
 WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
   AND backend_type = 'client backend'
"""


@dataclass(frozen=True)
class Manifest:
    """`audit_seq` and `audit_hash` are the head of the audit log in the file; `migration` is its newest."""

    lockstep: str
    made_at: str
    migration: str
    audit_seq: int
    audit_hash: str
    sha256: str

    @property
    def head(self) -> str:
        return f"{self.audit_seq}:{self.audit_hash}" if self.audit_seq else "no entry"


def manifest_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def back_up(path: Path) -> Manifest:
    """Write the database as it is at one moment. Raises Refused; a file that is there is never written over."""
    for taken in (path, manifest_path(path)):
        if taken.exists():
            raise _refused("file_exists", f"{taken} is there already.", "No backup was made.", "Give another name.")
    part = path.with_name(path.name + ".part")
    try:
        with closing(_own_session()) as conn, conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            snapshot = _one(conn, "SELECT pg_catalog.pg_export_snapshot()")[0]
            migration, seq, head = _one(conn, _HOLDS)
            _make_private(part)
            argv = ["pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--exclude-schema={ASIDE}*"]
            _run([*argv, f"--file={part}"], conn.info.server_version, "No backup was made.")
        made = Manifest(__version__, datetime.now(UTC).isoformat(), migration, seq, head, _sha256(part))
        _make_private(manifest_path(path))
        manifest_path(path).write_text(json.dumps(asdict(made), indent=1) + "\n", encoding="utf-8")
        part.replace(path)
        return made
    except OSError as error:
        told = f"{path} cannot be written: {error.strerror}."
        raise _refused("file_unwritable", told, "No backup was made.", "Give a folder that you may write to.") from None
    finally:
        part.unlink(missing_ok=True)


def read_manifest(path: Path) -> Manifest:
    """What the file says it is, and is. Raises Refused for one that is other than when it was written."""
    try:
        manifest = Manifest(**json.loads(manifest_path(path).read_text(encoding="utf-8")))
        found = _sha256(path)
    except OSError as error:
        told = f"{error.filename} cannot be read: {error.strerror}."
        raise _refused("backup_unreadable", told, _NOT_RESTORED, "Give the backup, with its .json beside it.") from None
    except (ValueError, TypeError):
        told = f"{manifest_path(path)} is not what a backup has beside it."
        raise _refused("backup_unreadable", told, _NOT_RESTORED, "Take another backup.") from None
    if found != manifest.sha256:
        told = f"{path} is not the file that was written: its SHA-256 is {found}, not {manifest.sha256}."
        raise _refused("backup_altered", told, _NOT_RESTORED, "Take another backup, and find out who changed this one.")
    return manifest


def restore(path: Path, manifest: Manifest, *, known: Sequence[str], move_aside: bool) -> str:
    """Write the file into this installation's database, in one transaction; returns the schema that was put aside.

    `known` are the migrations that this code has. Raises Refused.
    """
    if manifest.migration not in known:
        told = f"The backup was made by a newer Lockstep ({manifest.lockstep}, {manifest.migration})."
        raise _refused("backup_newer", told, _NOT_RESTORED, "Install that version first.")
    with closing(_own_session()) as conn:
        others = [str(row[0]) for row in conn.execute(_OTHERS).fetchall()]
        if others:
            told = f"Others are connected to this database: {', '.join(sorted(others))}."
            raise _refused("database_in_use", told, _NOT_RESTORED, "Stop web, workers and scheduler, and try again.")
        here, aside = _make_room(conn, move_aside)
        argv = ["pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
        try:
            _run([*argv, f"--dbname={conn.info.dbname}", str(path)], conn.info.server_version, _NOT_RESTORED)
        except Refused:
            _put_back(conn, here, aside)
            raise
        if (found := _one(conn, _HOLDS)) != (manifest.migration, manifest.audit_seq, manifest.audit_hash):
            told = f"What was restored is at {found}, and the manifest says {manifest.migration}, {manifest.head}."
            raise _refused("backup_differs", told, "Nothing was started.", "Do not use this database.")
    return aside


def _make_room(conn: psycopg.Connection, move_aside: bool) -> tuple[str, str]:
    """The schema that is empty now, and where its content is: nothing is dropped."""
    here = str(_one(conn, "SELECT pg_catalog.current_schema()")[0])
    if _one(conn, _RELATIONS)[0] == 0:
        return here, ""
    if not move_aside:
        told = f"The database {conn.info.dbname} is not empty."
        next_step = "Restore into an empty database, or give --move-aside: what is there is kept in another schema."
        raise _refused("database_not_empty", told, _NOT_RESTORED, next_step)
    aside = ASIDE + datetime.now(UTC).strftime("%Y%m%d_%H%M%S_%f")
    try:
        with conn.transaction():
            _rename(conn, here, aside)
            conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(here)))
    except psycopg.Error as error:
        told = f"The schema {here} cannot be put aside: {error.diag.message_primary}."
        raise _refused(
            "not_moved", told, _NOT_RESTORED, "Give an empty database, or the rights of its owner."
        ) from None
    return here, aside


def _put_back(conn: psycopg.Connection, here: str, aside: str) -> None:
    """The restore was one transaction that failed, so the new schema is empty."""
    if aside:
        with conn.transaction():
            conn.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(here)))
            _rename(conn, aside, here)


def _rename(conn: psycopg.Connection, old: str, new: str) -> None:
    conn.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)))


_NOT_RESTORED = "Nothing was restored."


def _own_session() -> psycopg.Connection:
    return psycopg.connect(_dsn().conninfo(), autocommit=True, application_name="lockstep-control-copy")


def _dsn() -> Dsn:
    """Django's own database as it is set up, in the words of libpq."""
    words = {option.keyword.decode() for option in Conninfo.get_defaults()} - {"options", "application_name"}
    given: Mapping[str, Any] = connection.get_connection_params()
    return parse(conninfo.make_conninfo("", **{k: v for k, v in given.items() if k in words}), trusted=True)


def _run(argv: Sequence[str], version: int, not_done: str) -> None:
    """The address and its password travel in the environment, where no list of processes shows them."""
    program = programs_for(version // 10000) / argv[0]
    variables = {**environment(_dsn()), "PGOPTIONS": "", "PATH": os.defpath, "LC_ALL": "C", "HOME": "/nonexistent"}
    done = subprocess.run([str(program), *argv[1:]], env=variables, capture_output=True, text=True)
    if done.returncode != 0:
        told = f"{argv[0]} ended with exit status {done.returncode}: {done.stderr.strip()[:_SAID].rstrip('.')}."
        raise _refused("copy_failed", told, not_done, "Correct what it names, and try again.")


def _one(conn: psycopg.Connection, query: str) -> tuple[Any, ...]:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row


def _make_private(path: Path) -> None:
    """It holds password hashes and sealed addresses."""
    path.touch(mode=0o600)
    path.chmod(0o600)


def _sha256(path: Path) -> str:
    summed = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            summed.update(chunk)
    return summed.hexdigest()


def _refused(code: str, message: str, not_done: str, next_step: str) -> Refused:
    return Refused(code, message, not_done=not_done, next_step=next_step)
