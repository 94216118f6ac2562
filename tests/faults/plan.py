"""Which faults there are, how many of each, and at which points. The seed decides."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.faults.files import Order

START = ("claimed", "connected", "locked", "fenced")
WITHIN = (
    "step_started",
    "statement_started",
    "statement_done",
    "verifying",
    "recording",
    "step_done",
    "recorded",
    "copying",
)
# A revision sent as one message does not tell of these, or only after its COMMIT.
INSIDE = ("statement_done", "verifying", "recording")
INDEX = ("intent", "nontx_done")
END = ("released", "ending")
# Only an earlier fault of the same run leads here.
AFTER = ("already_applied", "repaired", "recovered", "connection_lost")
# These come when they come, whatever revision is under way.
ANYWHERE = (*START, *END, "copying", "popped", "unsent", "already_applied", "connection_lost")
SENT_WHOLE = "statement_started"  # the last point before the COMMIT of a revision sent as one message
# Inside a transactional step; the target's server ends such a session after five seconds of silence.
QUICK_STOPS = ("statement_done", "recording", "verifying")
SLOW_STOPS = ("locked", "statement_started", "step_done", "recorded", "copying", "intent", "nontx_done")

HELPER = 1_000_000  # added to a fault's number for the order that only prepares it


@dataclass(frozen=True)
class Kind:
    """`share` of 500 faults; `part` names what the lane does (see lane.py), the worker does the rest."""

    name: str
    share: int
    part: str
    actions: tuple[str, ...]
    points: tuple[str, ...]


KILLS = START + WITHIN * 3 + INDEX * 2 + END * 3
KINDS = (
    Kind("job process killed", 119, "kill", ("job",), KILLS + AFTER * 2),
    Kind("worker killed", 86, "kill", ("parent",), KILLS),
    Kind("worker and job killed", 60, "kill", ("both",), KILLS),
    Kind("worker killed between pop and prepare", 25, "popped", ("job",), ("popped",)),
    Kind("request killed between COMMIT and enqueue", 25, "unsent", ("",), ("unsent",)),
    Kind("job killed in CREATE INDEX CONCURRENTLY", 20, "kill in index", ("hold",), ("intent",)),
    Kind("job killed in a statement sent with its COMMIT", 15, "kill in message", ("hold",), (SENT_WHOLE,)),
    Kind("job killed while a table is locked", 10, "kill at lock", ("job",), ("lock_attempt",)),
    Kind("stopped past the lease, then continued", 20, "stop", ("stop", "stop both"), QUICK_STOPS * 10 + SLOW_STOPS),
    Kind("backend terminated", 28, "terminate", ("hold",), (*WITHIN[:-1], "locked", "nontx_done")),
    Kind("backend terminated in CREATE INDEX CONCURRENTLY", 25, "terminate in index", ("hold",), ("intent",)),
    Kind("target cut at COMMIT", 25, "cut", ("hold",), ("recording",)),
    Kind("target cut at a COMMIT sent with its statement", 10, "cut", ("hold",), (SENT_WHOLE,)),
    Kind("Redis FLUSHALL", 12, "flush", ("hold",), (*WITHIN, "claimed")),
    Kind("Redis killed, back after 5 s", 4, "redis", ("hold",), WITHIN),
    Kind("Redis killed, back empty after a minute", 2, "redis minute", ("hold",), WITHIN),
    Kind("control database restarted", 14, "control", ("hold",), (*WITHIN, "claimed", "ending")),
)
PROCESS_KILLS = ("kill", "kill in index", "kill in message", "kill at lock")
IN_INDEX = ("kill in index", "terminate in index")
GLOBAL = ("flush", "redis", "redis minute", "control")
NEEDS_REDIS = ("flush", "redis", "redis minute", "popped")


@dataclass(frozen=True)
class Fault:
    number: int
    kind: Kind
    point: str
    action: str


@dataclass(frozen=True)
class Placed:
    """A fault in a run; without a revision it happens wherever the point comes first."""

    fault: Fault
    revision: str

    @property
    def orders(self) -> tuple[Order, ...]:
        if self.fault.kind.part == "unsent":
            return ()
        order = Order(self.fault.number, self.fault.point, self.fault.action, self.revision)
        if self.fault.kind.part != "kill at lock":
            return (order,)
        return Order(self.fault.number + HELPER, "step_started", "hold", self.revision), order


def make_faults(count: int, seed: int, only: str) -> list[Fault]:
    """Every kind by its share, in an order of the seed's."""
    kinds = [kind for kind in KINDS if only.lower() in kind.name.lower()]
    rng = random.Random(f"faults {seed}")
    chosen = _by_share(kinds, count)
    rng.shuffle(chosen)
    return [
        Fault(number, kind, rng.choice(kind.points), rng.choice(kind.actions))
        for number, kind in enumerate(chosen, start=1)
    ]


def kind_of(part: str) -> Kind:
    return next(kind for kind in KINDS if kind.part == part)


def _by_share(kinds: Sequence[Kind], count: int) -> list[Kind]:
    total = sum(kind.share for kind in kinds)
    exact = [(count * kind.share / total, kind) for kind in kinds]
    chosen = [kind for amount, kind in exact for _ in range(int(amount))]
    by_rest = sorted(exact, key=lambda pair: pair[0] % 1, reverse=True)
    return chosen + [kind for _, kind in by_rest[: count - len(chosen)]]


def orders(placed: Iterable[Placed]) -> list[Order]:
    return [order for one in placed for order in one.orders]
