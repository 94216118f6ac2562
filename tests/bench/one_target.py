"""Section 1 and 3: many revisions on one target, every contender on the same server in turns; and their memory."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from migrations_app.models import Service
from tests.bench import dbmate, engine_process, floor, plane, workload
from tests.bench.engine_process import EngineRun
from tests.bench.house import House
from tests.bench.memory import FamilyPeak, mib
from tests.bench.report import Table, against
from tests.bench.sizes import Sizes
from tests.bench.timing import Sample, interleaved, shown
from tests.bench.workers import working

TITLE = "Many revisions on one target"
TARGET = 1.5
_FLOOR = "floor: psql -f, history row per transaction"
_ENGINE = "Lockstep, the engine"
_PLANE = "Lockstep, control plane and ledger, in one process"
_WORKER = "Lockstep, control plane and ledger, by a worker"
_DBMATE = "dbmate"


@dataclass
class _Course:
    """The files each contender reads, and what was seen on the way."""

    house: House
    floor_script: Path
    revisions: Path
    migrations: Path
    service: Service
    peer: dbmate.Dbmate | dbmate.Missing
    engine_runs: list[EngineRun] = field(default_factory=list)
    worker_peaks: list[FamilyPeak] = field(default_factory=list)

    def contenders(self) -> dict[str, Callable[[], float]]:
        all_of_them = {_FLOOR: self.floor, _ENGINE: self.engine, _PLANE: self.plane, _WORKER: self.worker}
        return all_of_them if isinstance(self.peer, dbmate.Missing) else {**all_of_them, _DBMATE: self.dbmate}

    def floor(self) -> float:
        with self.house.database("floor") as url:
            return floor.run(url, self.floor_script)

    def engine(self) -> float:
        with self.house.database("engine") as url:
            run = engine_process.run(url, self.revisions)
        self.engine_runs.append(run)
        return run.execute_s

    def plane(self) -> float:
        with self.house.database("plane") as url:
            environment = plane.environment(self.service, url)
            self.house.settle()
            return plane.apply_here(environment)

    def worker(self) -> float:
        with self.house.database("worker") as url, working(1) as workers, FamilyPeak(workers[0].pid) as peak:
            self.worker_peaks.append(peak)
            environment = plane.environment(self.service, url)
            self.house.settle()
            return plane.apply_by_workers([environment])

    def dbmate(self) -> float:
        assert isinstance(self.peer, dbmate.Dbmate)
        with self.house.database("dbmate") as url:
            return self.peer.run(url, self.migrations)


def measure(house: House, sizes: Sizes, *, install: bool) -> tuple[Table, Table]:
    wanted = workload.changes(sizes.revisions)
    course = _Course(
        house,
        floor.write_script(house.folder / "floor.sql", wanted),
        workload.write_revisions(house.folder / "revisions", wanted),
        dbmate.write_migrations(house.folder / "dbmate" / "migrations", wanted),
        plane.service("one-target", wanted),
        dbmate.find(install=install),
    )
    samples = interleaved(course.contenders(), sizes.rounds)
    return _times(course, samples, sizes), _memory(course)


def _times(course: _Course, samples: dict[str, Sample], sizes: Sizes) -> Table:
    rows = [_row(name, sample, samples[_FLOOR], sizes) for name, sample in samples.items()]
    if isinstance(course.peer, dbmate.Missing):
        rows.append((_DBMATE, "not measured", course.peer.reason, "", "", "", ""))
    version = f"dbmate is {course.peer.version}. " if isinstance(course.peer, dbmate.Dbmate) else ""
    return Table(
        f"1. {TITLE}",
        (
            "who",
            "median",
            "fastest – slowest",
            "per revision",
            "× floor",
            "× floor, round by round",
            f"target {TARGET} ×",
        ),
        tuple(rows),
        (
            f"{sizes.revisions:,} revisions of one statement each ({workload.MIX}) on a fresh database, "
            f"rounds in turns: {sizes.rounds}, the server at rest before each. {version}"
            "“Round by round” is the median of each round's own ratio, which a slow minute disturbs less. "
            "psql and dbmate are timed as whole processes; the engine from plan to last receipt, connecting "
            "included; the control plane from the request to the last ledger row, its database being on the same "
            "server and disk.",
        ),
    )


def _row(name: str, sample: Sample, lowest: Sample, sizes: Sizes) -> tuple[str, ...]:
    ratio = sample.median / lowest.median
    paired = statistics.median(ours / low for ours, low in zip(sample.seconds, lowest.seconds, strict=True))
    verdict = against(TARGET, ratio) if name.startswith("Lockstep") else ""
    each = shown(sample.median / sizes.revisions)
    return (name, shown(sample.median), sample.spread, each, f"{ratio:.2f}", f"{paired:.2f}", verdict)


def _memory(course: _Course) -> Table:
    idle = max(run.idle_kib for run in course.engine_runs)
    peak = max(run.peak_kib for run in course.engine_runs)
    parents = max(found.parent_kib for found in course.worker_peaks)
    jobs = max(found.worst_child_kib for found in course.worker_peaks)
    rows = (
        ("engine alone, before the plan is executed", mib(idle)),
        ("engine alone, at its most", mib(peak)),
        ("worker process", mib(parents)),
        ("its largest child (job process or reconciler)", mib(jobs)),
    )
    return Table("3. Peak memory of one process", ("process", "peak resident"), rows, ("During the runs of table 1.",))
