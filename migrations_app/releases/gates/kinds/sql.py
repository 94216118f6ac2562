"""A worker asks a target one SELECT, in a transaction that can write nothing; every value has to be true."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import psycopg
from psycopg import errors

from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.sql.script import read_verify
from migrations_app.engine.sql.tree import field, walk
from migrations_app.engine.sql.trees import read_trees
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.identity import check_identity
from migrations_app.fleet.secrets import resolve_dsn
from migrations_app.models import Environment, Release
from migrations_app.releases.gates import places
from migrations_app.releases.gates.catalogue import Check
from migrations_app.releases.gates.kinds import (
    EVERY,
    Found,
    bad_text,
    bad_times,
    found,
    timeout_s,
    unknown_settings,
)

TIMEOUT_S = 10.0
LONGEST_S = 30.0
MOST_ROWS = 1000
_LOCK_S = 2.0
_CONNECT_S = 15.0  # to each target, with what is asked before the question
_LONGEST_SQL = 10_000
_WRITES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_KNOWN = frozenset({"environment", "sql", "timeout_seconds", EVERY})


class _Broken(Exception):
    """`code` is what a signature binds, the message what a person reads."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def problem(settings: Mapping[str, object]) -> str:
    return (
        unknown_settings(settings, _KNOWN)
        or bad_text(settings, "environment")
        or bad_text(settings, "sql", _LONGEST_SQL)
        or _bad_sql(str(settings["sql"]))
        or bad_times(settings, LONGEST_S)
    )


def longest_s(release: Release, check: Check) -> float:
    asked = len(places.environments(release, str(check.settings["environment"])))
    return (timeout_s(check, TIMEOUT_S) + _CONNECT_S) * max(asked, 1)


def collect(release: Release, check: Check) -> Found:
    name, query = str(check.settings["environment"]), str(check.settings["sql"])
    asked = places.environments(release, name)
    broken = [] if asked else [places.nowhere(release, name)]
    codes = {}
    for environment in asked:
        try:
            _ask(environment, query, timeout_s(check, TIMEOUT_S))
        except _Broken as failure:
            broken.append(f"{environment.name}: {failure}")
            codes[environment.name] = failure.code
    names = [one.name for one in asked]
    good = f"{', '.join(names)}: every value is true."
    return found(", ".join(names) or "lockstep", good, broken, {"asked": names, "broken": codes})


def _ask(environment: Environment, query: str, limit_s: float) -> None:
    """Raises _Broken."""
    try:
        with closing(open_session(resolve_dsn(environment), application_name="lockstep-check")) as conn:
            check_identity(conn, environment=environment.uid)
            _hold_true(_rows(conn, query, limit_s))
    except LockstepError as failure:
        raise _Broken(failure.code, failure.message) from None
    except errors.QueryCanceled:
        raise _Broken("late", f"no answer within {limit_s:g} s.") from None
    except errors.LockNotAvailable:
        raise _Broken("locked", f"what it asks was locked for more than {_LOCK_S:g} s.") from None
    except psycopg.Error as error:
        told = error.diag.message_primary or "the session was lost"
        raise _Broken(error.sqlstate or "lost", f"the question failed: {told}.") from None


def _rows(conn: psycopg.Connection, query: str, limit_s: float) -> list[tuple[object, ...]]:
    """One more than are allowed at most; a cursor, so that not all of many rows are sent."""
    conn.execute("BEGIN TRANSACTION READ ONLY")
    limits = (f"{limit_s * 1000:.0f}", f"{min(_LOCK_S, limit_s) * 1000:.0f}")
    conn.execute("SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)", limits)
    with conn.cursor(name="lockstep_check") as cursor:
        cursor.execute(_only_statement(query))
        found_ones: list[tuple[object, ...]] = cursor.fetchmany(MOST_ROWS + 1)
    conn.execute("ROLLBACK")
    return found_ones


def _hold_true(rows: list[tuple[object, ...]]) -> None:
    if not rows:
        raise _Broken("no row", "it gave no row, and one that is true is wanted.")
    if len(rows) > MOST_ROWS:
        raise _Broken("many rows", f"it gave more than {MOST_ROWS:,} rows; count what is wrong instead.")
    wrong = next((row for row in rows if not row or not all(value is True for value in row)), None)
    if wrong is not None:
        gave = ", ".join(map(_shown, wrong)) or "a row without a value"
        raise _Broken("not true", f"it gave {gave}, and every value must be true.")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "NULL" if value is None else str(value)[:80]


def _bad_sql(query: str) -> str:
    try:
        pieces = read_trees(query)
        if len(pieces) != 1 or pieces[0].kind != "SelectStmt":
            return "has as its sql something other than exactly one SELECT."
        if field(pieces[0].node, "intoClause"):
            return "has as its sql a SELECT INTO, which makes a table."
        if any(_WRITES & node.keys() for node in walk(pieces[0].node)):
            return "has as its sql a SELECT that would write."
        read_verify(query)
    except Refused as refusal:
        return f"has an sql that cannot be asked: {refusal.message}"
    return ""


def _only_statement(query: str) -> str:
    """Without the semicolon behind it."""
    return read_trees(query)[0].text
