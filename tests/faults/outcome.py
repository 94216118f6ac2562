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
    continued_at: float = 0.0

    @property
    def over_at(self) -> float:
        """A stop lasts until the process is continued, which is when somebody else has taken over."""
        return self.continued_at or self.at


@dataclass(frozen=True)
class Missed:
    """A fault whose point did not come in this run, so that it has to be struck in another."""

    placed: Placed
    run: int


@dataclass(frozen=True)
class RunEnd:
    """When a run was asked for, when its last fault was over, and when it was seen at its end."""

    run: int
    status: str
    asked_at: float
    last_fault_at: float | None
    at: float
    code: str = ""

    @property
    def settled(self) -> float:
        return 0.0 if self.last_fault_at is None else max(self.at - self.last_fault_at, 0.0)


@dataclass
class Tally:
    """Everything the lanes found; appended to by many threads, which lists allow."""

    happened: list[Happened] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    ends: list[RunEnd] = field(default_factory=list)
    restarted: list[RunEnd] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stale_ended: int = 0

    @property
    def last(self) -> Happened | None:
        """The fault that was over last."""
        return max(self.happened, key=lambda one: one.over_at, default=None)

    @property
    def settled(self) -> float:
        """How long after the last fault the last of the runs that were open then was at its end."""
        if self.last is None:
            return 0.0
        over_at = self.last.over_at
        return max((end.at - over_at for end in self.ends if end.asked_at <= over_at), default=0.0)


def measure(happened: Happened, trace: Sequence[Line]) -> None:
    """Fill in how long it was until the run went on."""
    part = happened.placed.fault.kind.part
    after = [line for line in trace if line.at > happened.at]
    if part == "stop":
        happened.takeover = _first([line for line in after if line.token > happened.token], happened, "locked")
    elif part in PROCESS_KILLS:
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
