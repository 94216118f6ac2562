"""What is looked at before and after each traced statement, and the difference that is its doing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg

from migrations_app.engine.clone.triggers import Dropped
from migrations_app.engine.sql.locks import MODES, STRENGTH

# xact: what this transaction did so far, without waiting for any report. all: what was reported since ever, for
# statements that open and end transactions of their own. none: a server that cannot be made to report now.
CountsFrom = Literal["xact", "all", "none"]
Held = Mapping[int, str]

_RELATIONS = Path(__file__).with_name("relations.sql").read_text(encoding="utf-8")
_COLUMNS = Path(__file__).with_name("columns.sql").read_text(encoding="utf-8")
_COUNTS = """
SELECT relid::bigint, seq_tup_read, n_tup_ins, n_tup_upd, n_tup_del FROM pg_catalog.pg_stat_{source}_tables
WHERE seq_tup_read + n_tup_ins + n_tup_upd + n_tup_del > 0
"""
_WAL = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint"
HELD = """
SELECT relation::bigint, mode FROM pg_catalog.pg_locks
WHERE locktype = 'relation' AND granted AND pid = %s
  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""
_EMPTY = "SELECT oid::bigint FROM pg_catalog.pg_class WHERE oid = ANY(%s) AND pg_catalog.pg_relation_size(oid) = 0"
# `AccessExclusiveLock` in pg_locks is ACCESS EXCLUSIVE in SQL.
_SPOKEN = {"".join(word.title() for word in mode.split()) + "Lock": mode for mode in MODES}


@dataclass(frozen=True)
class Relation:
    name: str
    file: int
    table: int  # 0 unless it is an index


@dataclass(frozen=True)
class Counts:
    scanned: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0


@dataclass(frozen=True)
class Snapshot:
    """Keyed by oid, since names may change and a dropped relation has none any more."""

    relations: Mapping[int, Relation]
    counts: Mapping[int, Counts]
    columns: Mapping[tuple[int, int], str]
    wal: int


def look(conn: psycopg.Connection, source: CountsFrom, *, columns: bool) -> Snapshot:
    """`columns` only where no event trigger tells of those that go."""
    relations = {oid: Relation(*rest) for oid, *rest in conn.execute(_RELATIONS)}
    named = {(oid, number): name for oid, number, name in conn.execute(_COLUMNS)} if columns else {}
    return Snapshot(relations, _counts(conn, source), named, wal(conn))


def _counts(conn: psycopg.Connection, source: CountsFrom) -> Mapping[int, Counts]:
    if source == "none":
        return {}
    query = _COUNTS.format(source="xact_all" if source == "xact" else "all")
    return {oid: Counts(*numbers) for oid, *numbers in conn.execute(query)}


def wal(conn: psycopg.Connection) -> int:
    """How far the whole server has written; others on it count as well."""
    row = conn.execute(_WAL).fetchone()
    assert row is not None
    return int(row[0])


def held(conn: psycopg.Connection, pid: int) -> Held:
    """The strongest lock a session holds on each relation of this database, names in SQL's words."""
    return strongest(conn.execute(HELD, [pid]).fetchall())


def strongest(rows: Iterable[tuple[int, str]]) -> dict[int, str]:
    """From rows of pg_locks."""
    found: dict[int, str] = {}
    for oid, mode in rows:
        spoken = _SPOKEN.get(mode)  # others (SIReadLock) keep nobody out
        if spoken and (oid not in found or STRENGTH[spoken] > STRENGTH[found[oid]]):
            found[oid] = spoken
    return found


def taken(before: Held, now: Held, existing: Mapping[int, Relation]) -> dict[int, str]:
    """What is held more strongly than before, on relations that existed.

    An index is left out while its table is held as strongly: who wants the one needs the other first.
    """
    new = {oid: mode for oid, mode in now.items() if oid in existing and _strength(mode) > _strength(before.get(oid))}
    return {oid: mode for oid, mode in new.items() if _strength(mode) > _strength(now.get(existing[oid].table))}


def _strength(mode: str | None) -> int:
    return -1 if mode is None else STRENGTH[mode]


def rewritten(before: Snapshot, after: Snapshot) -> list[int]:
    """Relations whose rows are in another file now."""
    both = before.relations.keys() & after.relations.keys()
    return [oid for oid in both if before.relations[oid].file != after.relations[oid].file]


def emptied(conn: psycopg.Connection, after: Snapshot, oids: list[int]) -> set[int]:
    """Those of rewritten relations into which nothing was copied, as TRUNCATE leaves them; with their indexes."""
    bare = {oid for (oid,) in conn.execute(_EMPTY, [oids])} if oids else set()
    return bare | {oid for oid in oids if after.relations[oid].table in bare}


def counted(before: Snapshot, after: Snapshot) -> dict[int, Counts]:
    """What was read and changed between the two; TRUNCATE sets counters back, which is no negative work."""
    found = {}
    for oid, now in after.counts.items():
        was = before.counts.get(oid, Counts())
        found[oid] = Counts(
            max(now.scanned - was.scanned, 0),
            max(now.inserted - was.inserted, 0),
            max(now.updated - was.updated, 0),
            max(now.deleted - was.deleted, 0),
        )
    return found


def gone(before: Snapshot, after: Snapshot) -> tuple[Dropped, ...]:
    """Without event triggers: relations and columns that are missing now, and nothing on how they went."""
    relations = [before.relations[oid] for oid in before.relations.keys() - after.relations.keys()]
    lost = [Dropped("index" if one.table else "relation", one.name, original=False, normal=True) for one in relations]
    for oid, number in before.columns.keys() - after.columns.keys():
        if oid in after.relations:
            lost.append(Dropped("table column", before.columns[oid, number], original=False, normal=True))
    return tuple(sorted(lost, key=lambda one: (one.kind, one.name)))
