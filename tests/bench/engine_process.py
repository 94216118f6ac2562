"""The engine in a process of its own: `python -m tests.bench.engine_process FOLDER`, the target's address in
BENCH_TARGET_URL. Prints one JSON object. It never imports Django, so its memory is the engine's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from migrations_app.engine.contract.folder import read_folder
from tests.bench import plans, targets
from tests.bench.memory import peak_kib
from tests.bench.timing import stopwatch

ADDRESS = "BENCH_TARGET_URL"


@dataclass(frozen=True)
class EngineRun:
    read_s: float  # files to plan
    execute_s: float  # plan to last receipt, connecting and proving the session included
    idle_kib: int  # the peak before the plan was executed
    peak_kib: int


def run(url: str, folder: Path) -> EngineRun:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.engine_process", str(folder)],
        env={**os.environ, ADDRESS: url},
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return EngineRun(**json.loads(done.stdout))


def main() -> None:
    url = os.environ.pop(ADDRESS)
    with stopwatch() as reading:
        plan = plans.plan_of(read_folder(sys.argv[1]))
    environment = targets.register(url)
    idle = peak_kib()
    with stopwatch() as executing:
        outcome = plans.run(plan, url, environment)
    assert outcome.done == len(plan.revisions), "every revision was to be applied"
    print(json.dumps(vars(EngineRun(reading.seconds, executing.seconds, idle, peak_kib()))))


if __name__ == "__main__":
    main()
