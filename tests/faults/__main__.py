"""`make faults`: stand the servers up, strike while revisions are applied, count what is left.

Exit status 0 when every number is as it should be, 1 otherwise.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from types import FrameType

from tests.faults.ground import Ground, remove_abandoned
from tests.faults.options import Options, read_options
from tests.faults.report import say


def main() -> int:
    options = read_options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    remove_abandoned()
    started = time.monotonic()
    ground = Ground(options.keep)
    try:
        (ground.folder / "harness.pid").write_text(str(os.getpid()))
        bad = _strike(ground, options)
    except KeyboardInterrupt:
        say("Interrupted; everything is being stopped.")
        return 1
    finally:
        ground.stop()
    took = f"{time.monotonic() - started:.0f} s"
    if bad:
        for sentence in bad:
            say(f"OFF: {sentence}")
        say(f"VERDICT: {len(bad)} numbers are off, seed {options.seed}, {took}.")
        return 1
    say(f"VERDICT: nothing applied twice, lost or out of order, seed {options.seed}, {took}.")
    return 0


def _strike(ground: Ground, options: Options) -> list[str]:
    say(f"Lockstep under faults: {options.faults} faults over {options.revisions} revisions, seed {options.seed}")
    say(f"  {options.workers} workers, {options.targets} targets, {options.timing}")
    say(f"  servers in {ground.folder}, without fsync: processes die here, the machine does not")
    ground.start()
    _use_only(ground.environment(options.settings))
    import django

    django.setup()
    # What is logged here is about servers that are away on purpose; the workers keep their own logs.
    logging.getLogger().setLevel(logging.ERROR)
    from tests.faults.stage import Stage

    stage = Stage(ground, options)
    try:
        return stage.perform()
    finally:
        stage.close()


def _use_only(environment: Mapping[str, str]) -> None:
    """Nothing that is set in this terminal may lead a fault into a real installation."""
    for name in [name for name in os.environ if name.startswith("LOCKSTEP_")]:
        del os.environ[name]
    os.environ.update(environment)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
