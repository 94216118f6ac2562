"""What the control database keeps so that pages need not count: since when, and whether it agrees with its sources.

Triggers keep it (see migrations_app/migrations/0007_matrix_tallies.py), so it should always agree. It is counted beside
the requests now and then; each process keeps what it counted last.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

from dashboard.health.own import Connection

EVERY_S = 30.0
STALE_S = 120.0

_READ = """
SELECT clock_timestamp(), e.count, r.count, r.newest, rel.count, runs.count, runs.newest,
       a.count, chain.version, t.count, t.applied, t.version
  FROM (SELECT count(*) FROM migrations_app_environment) e,
       (SELECT count(*), coalesce(max(id), 0) AS newest FROM migrations_app_revision) r,
       (SELECT count(*) FROM migrations_app_release) rel,
       (SELECT count(*), coalesce(max(id), 0) AS newest FROM migrations_app_run) runs,
       (SELECT count(*) FROM migrations_app_appliedrevision WHERE match <> 'unknown') a,
       (SELECT coalesce(sum(version), 0)::bigint AS version FROM migrations_app_chaintally) chain,
       (SELECT count(*), coalesce(sum(applied), 0)::bigint AS applied, coalesce(sum(version), 0)::bigint AS version
          FROM migrations_app_appliedtally) t
"""


@dataclass(frozen=True)
class Index:
    """`built_at`: since when this process has seen this version."""

    version: str
    built_at: datetime
    row_count: int


@dataclass(frozen=True)
class ReadModels:
    sys_date: datetime  # the database's clock when it was read
    updated_at: datetime
    environments: int
    revisions: int
    releases: int
    runs: int
    version: str  # of what the tallies are made of
    matrix: Index
    search: Index
    tally: Index

    @property
    def is_fresh(self) -> bool:
        return self.tally.version == self.version


@dataclass
class _Kept:
    enabled: bool = False
    found: ReadModels | None = None
    at: float = float("-inf")
    lock: Lock = field(default_factory=Lock)


_kept = _Kept()


def enable() -> None:
    """From now on this process keeps them; without a publisher nobody would refresh them."""
    _kept.enabled = True


def enabled() -> bool:
    return _kept.enabled


def kept() -> ReadModels | None:
    return _kept.found


def due() -> bool:
    return time.monotonic() - _kept.at >= EVERY_S


def refresh(conn: Connection) -> None:
    row = conn.execute(_READ).fetchone()
    assert row is not None
    with _kept.lock:
        _kept.found, _kept.at = _made(row, _kept.found), time.monotonic()


def forget() -> None:
    _kept.enabled, _kept.found, _kept.at = False, None, float("-inf")


def _made(row: tuple[object, ...], before: ReadModels | None) -> ReadModels:
    sys_date, *counted = row
    assert isinstance(sys_date, datetime)
    environments, revisions, newest, releases, runs, newest_run, applied, chain, tallies, tallied, changes = (
        int(str(one)) for one in counted
    )

    def index(name: str, version: str, rows: int) -> Index:
        old: Index | None = getattr(before, name, None)
        since = old.built_at if old is not None and old.version == version else sys_date
        return Index(version, since, rows)

    return ReadModels(
        sys_date=sys_date,
        updated_at=datetime.now(UTC),
        environments=environments,
        revisions=revisions,
        releases=releases,
        runs=runs,
        version=str(applied),
        matrix=index("matrix", f"{chain}.{changes}", tallies),
        search=index("search", f"{environments}.{newest}.{newest_run}", environments + revisions + runs),
        tally=index("tally", str(tallied), tallies),
    )
