"""What became of each fault and each run, and how long it took to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.files import Line
from tests.faults.plan import PROCESS_KILLS, Placed

# Lines that show that another claim is at work.
PROGRESS = ("locked", "connected")


@dataclass
class Happened:
    """A fault that took place at `at`; `takeover` is None when nothing had to be taken over."""

    placed: Placed
    run: int
    point: str
    at: float
    token: int = 0
    takeover: float | None = None
    note: str = ""

    @property
    def over_at(self) -> float:
        """A stop lasts until somebody else has taken over."""
        stopped = self.placed.fault.kind.part == "stop"
        return self.at + (self.takeover or 0.0 if stopped else 0.0)


@dataclass
class RunEnd:
    """How a run ended, counted from its last fault."""

    run: int
    status: str
    settled: float
    code: str = ""


@dataclass
class Tally:
    """Everything the lanes found; appended to by many threads, which lists allow."""

    happened: list[Happened] = field(default_factory=list)
    ends: list[RunEnd] = field(default_factory=list)
    restarted: list[RunEnd] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stale_ended: int = 0


def measure(happened: Happened, trace: Sequence[Line], ended_at: float) -> None:
    """Fill in how long it was until the run went on."""
    part = happened.placed.fault.kind.part
    after = [line for line in trace if line.at > happened.at]
    if part in (*PROCESS_KILLS, "stop"):
        happened.takeover = _first_of_another_token(after, happened)
    elif part in ("unsent", "popped"):
        happened.takeover = _first(after, happened, "claimed")
    elif part in ("terminate", "terminate in index", "cut"):
        # The same process goes on; when the next fault ends it first, that one's takeover is what counts.
        happened.takeover = _first([line for line in after if line.token == happened.token], happened, "locked")
    else:
        happened.takeover = after[0].at - happened.at if after else None
    if happened.takeover is None:
        happened.note = "struck again, or nothing to take over"


def _first(lines: Sequence[Line], happened: Happened, kind: str) -> float | None:
    return next((line.at - happened.at for line in lines if line.kind == kind), None)


def _first_of_another_token(lines: Sequence[Line], happened: Happened) -> float | None:
    """The lock of the next claim; its first sign of life when it was itself struck before it had the lock."""
    newer = [line for line in lines if line.token > happened.token]
    if not newer:
        return None
    same = [line for line in newer if line.token == newer[0].token]
    locked = next((line for line in same if line.kind == "locked"), None)
    return (locked or newer[0]).at - happened.at
