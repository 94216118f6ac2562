"""Section 7: a large fleet's history, generated once and shared by the parts that measure pages on it.

`LOCKSTEP_BENCH_LARGE_URL` names a database that `manage.py demo --size large` has filled, to be used instead; the
benchmark adds two users and their sessions to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from django.db import connections

from dashboard import env
from migrations_app.models import Environment, LedgerEntry, Revision, Run, RunLogLine
from tests.bench.house import House
from tests.bench.memory import FamilyPeak, mib
from tests.bench.report import Table, against
from tests.bench.sizes import Sizes
from tests.bench.timing import shown, stopwatch
from tests.bench.web import Site, serving

TITLE = "A large fleet, generated"
ALIAS = "large"
GIVEN = "LOCKSTEP_BENCH_LARGE_URL"
_TARGET_S, _TARGET_KIB = 180.0, 200 * 1024
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Generated:
    """`seconds` is 0 for a database that was given."""

    url: str
    seconds: float = 0.0
    peak_kib: int = 0


@dataclass
class LargeFleet:
    """Made on first use; `kept` drops the database with the end of the benchmark."""

    house: House
    sizes: Sizes
    kept: ExitStack = field(repr=False)

    @cached_property
    def generated(self) -> Generated:
        given = os.environ.get(GIVEN)
        made = Generated(given) if given else self._generate(self.kept.enter_context(self.house.database("large")))
        os.environ[GIVEN] = made.url
        connections.databases[ALIAS] = {**connections.databases["default"], **(env.database(GIVEN) or {})}
        self.kept.callback(_forget, given)
        return made

    @contextmanager
    def site(self, settings: str = "dashboard.settings") -> Iterator[Site]:
        """A web server of one's own, so that what an earlier measurement overloaded does not count here."""
        with serving(self.generated.url, settings=settings) as site:
            yield site

    def _generate(self, url: str) -> Generated:
        _manage(url, "migrate", "--verbosity", "0")
        sizes = self.sizes
        command = ["demo", "--size", "large", "--environments", str(sizes.large_environments)]
        command += ["--revisions", str(sizes.large_revisions), "--runs", str(sizes.large_runs)]
        command += ["--lines", str(sizes.large_lines)]
        with stopwatch() as watch:
            peak = _manage(url, *command)
        self.house.settle()
        return Generated(url, watch.seconds, peak)


def measure(large: LargeFleet) -> Table:
    made = large.generated
    rows = (
        ("environments", f"{Environment.objects.using(ALIAS).count():,}", "", ""),
        ("revisions", f"{Revision.objects.using(ALIAS).count():,}", "", ""),
        ("receipts", f"{LedgerEntry.objects.using(ALIAS).count():,}", "", ""),
        ("runs", f"{Run.objects.using(ALIAS).count():,}", "", ""),
        ("log lines", f"{RunLogLine.objects.using(ALIAS).count():,}", "", ""),
        ("size of the database", _size(), "", ""),
        *_costs(made),
    )
    return Table(
        f"7. {TITLE}",
        ("what", "found", "target", "verdict"),
        rows,
        ("What `manage.py demo --size large` writes; the next three tables are measured on it.",),
    )


def _costs(made: Generated) -> tuple[tuple[str, ...], ...]:
    if not made.seconds:
        return (("time to generate", "given, not generated", shown(_TARGET_S), ""),)
    return (
        ("time to generate", shown(made.seconds), shown(_TARGET_S), against(_TARGET_S, made.seconds)),
        ("peak memory of its process", mib(made.peak_kib), mib(_TARGET_KIB), against(_TARGET_KIB, made.peak_kib)),
    )


def _size() -> str:
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        return str(cursor.fetchone()[0])


def _manage(url: str, *arguments: str) -> int:
    """Run a command on that database to its end; the peak memory of its process in KiB."""
    environment = {**os.environ, "LOCKSTEP_DATABASE_URL": url}
    running = subprocess.Popen(
        [sys.executable, "manage.py", *arguments], cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    with FamilyPeak(running.pid) as peak:
        status = running.wait()
    if status != 0:
        raise subprocess.CalledProcessError(status, running.args)
    return peak.parent_kib


def _forget(given: str | None) -> None:
    connections[ALIAS].close()
    if given is None:
        os.environ.pop(GIVEN, None)
