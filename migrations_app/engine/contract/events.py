"""What the executor tells the world, through one callback. Each kind is also a named point for fault tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from migrations_app.engine.contract.receipts import Receipt
from migrations_app.engine.target.blockers import Blocker

Kind = Literal[
    "connected",  # a session is open and proven direct
    "lock_wait",  # somebody else holds the target's advisory lock
    "locked",  # the advisory lock is ours
    "fenced",  # our fence is in the target; older holders can no longer commit
    "already_applied",  # the receipt is there with the same bytes
    "step_started",  # about to open the step's transaction
    "statement_started",  # before a statement; the first one of a step opens its transaction
    "notice",  # the target said something beside its answer
    "statement_done",  # after a statement; in the transaction, unless that was one message up to its COMMIT
    "verifying",  # in the transaction, before the verify script
    "recording",  # in the transaction, before the receipt and its COMMIT; not told of one sent as one message
    "step_done",  # committed
    "lock_attempt",  # a table lock was not to be had; rolled back, will try again
    "blocked",  # somebody is in the way right now
    "unblocked",  # nobody is in the way any more
    "intent",  # a non-transactional statement is announced and about to run
    "nontx_done",  # it ran; its step row is not written yet
    "repaired",  # something half-made was removed
    "recovered",  # the catalogue shows that an earlier try took effect
    "recorded",  # a receipt is committed
    "released",  # the advisory lock is given back
    "ended",  # the run stops here, with the reason
    "connection_lost",  # the session broke; the receipts will be read again
    "orphan_ended",  # a stale backend of this very run was terminated
]


@dataclass(frozen=True, slots=True)
class Event:
    kind: Kind
    message: str
    revision_id: str = ""
    step: int | None = None  # 1-based within the revision
    statement: int | None = None  # 1-based within the step
    level: Literal["info", "warning", "error"] = "info"
    wait_ms: int = 0
    work_ms: int = 0
    blockers: tuple[Blocker, ...] = field(default=())
    windowed: bool = True  # whether the lock window ends this wait
    receipt: Receipt | None = None
    fence: int | None = None
    backend_pid: int | None = None
    backend_start: datetime | None = None


Report = Callable[[Event], None]


@dataclass(frozen=True)
class StopRequest:
    """Why a run should stop between statements: a person's pause or cancel, or a shutdown."""

    kind: Literal["pause", "cancel", "shutdown"]
    sentence: str


ShouldStop = Callable[[], StopRequest | None]
