"""What the numbers were measured on: the machine, its disk, the programs' versions. No name, no path."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from migrations_app import __version__
from tests.bench.house import House
from tests.bench.report import Table
from tests.bench.sizes import Sizes
from tests.bench.timing import Sample, shown, stopwatch

_SYNCS = 200


def facts(house: House, sizes: Sizes) -> Table:
    durable = ", ".join(f"{name} {house.setting(name)}" for name in ("fsync", "synchronous_commit", "full_page_writes"))
    rows = (
        ("date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ("size", _size(sizes)),
        ("Lockstep", f"{__version__}{_commit()}"),
        ("processor", f"{os.cpu_count()} × {_processor()}"),
        ("memory", f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB"),
        ("load when begun", f"{os.getloadavg()[0]:.2f}"),
        ("system", f"{platform.system()} {platform.release().split('-')[0]}"),
        ("8 kB write + fdatasync", _sync_time(house.folder)),
        ("PostgreSQL", f"{house.setting('server_version')}, {durable}"),
        ("Python", f"{platform.python_version()}, Django {version('django')}, psycopg {version('psycopg')}"),
    )
    return Table("Measured on", ("what", "value"), rows)


@dataclass(frozen=True)
class ProcessorTime:
    """All there was since the machine began, and what its host gave to others, in ticks."""

    whole: int = 0
    taken: int = 0


def processor_time() -> ProcessorTime:
    """Nothing where /proc does not tell."""
    try:
        first = Path("/proc/stat").read_text().partition("\n")[0]
    except OSError:
        return ProcessorTime()
    ticks = [int(word) for word in first.split()[1:9]]
    return ProcessorTime(sum(ticks), ticks[-1])


def with_the_end(facts: Table, begun: ProcessorTime) -> Table:
    """A load above the number of processors at either end, or time the host took, means others were at work too."""
    now = processor_time()
    whole, taken = now.whole - begun.whole, now.taken - begun.taken
    rows = (
        ("load when done", f"{os.getloadavg()[0]:.2f}"),
        ("of all processors' time the host took", f"{taken / whole:.1%}" if whole else "not told here"),
    )
    return replace(facts, rows=(*facts.rows, *rows))


def _size(sizes: Sizes) -> str:
    return f"{sizes.name}: {sizes.revisions:,} revisions, rounds: {sizes.rounds}"


def _commit() -> str:
    root = Path(__file__).resolve().parents[2]
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True, check=False
    )
    return f", commit {told.stdout.strip()}" if told.returncode == 0 else ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _sync_time(folder: Path) -> str:
    """What one durable commit costs at least, on the disk the server writes to."""
    path, taken = folder / "sync-probe", []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for _ in range(_SYNCS):
            with stopwatch() as watch:
                os.pwrite(descriptor, b"x" * 8192, 0)
                os.fdatasync(descriptor)
            taken.append(watch.seconds)
    finally:
        os.close(descriptor)
        path.unlink()
    sample = Sample(tuple(taken))
    return f"median {shown(sample.median)}, p95 {shown(sample.quantile(0.95))}"
