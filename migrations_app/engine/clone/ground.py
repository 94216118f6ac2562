"""What a rehearsal stands on: the clone and the copies beside it, scripts run by the job contract, and who is told."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from migrations_app.engine.clone.copying import copy_clone, drop_clone
from migrations_app.engine.clone.make import Clone
from migrations_app.engine.clone.server import RehearsalServer
from migrations_app.engine.clone.trace import StatementTrace, trace
from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.events import Event, ShouldStop
from migrations_app.engine.contract.plan import Direction, Plan, PlannedRevision
from migrations_app.engine.contract.recovery import execute_to_the_end
from migrations_app.engine.contract.work import Job, Limits
from migrations_app.engine.errors import ConnectionLost, Fenced, LockExhausted, LockstepError, NeedsOperator, Stopped
from migrations_app.engine.target.dsn import Dsn

BEFORE, TRACED = "before", "trace"
WORKER = "rehearsal"
# A server that crashed counts for nothing any more, so only a session that ended alone is worth waiting for.
_LIMITS = Limits(lock_window_s=30.0, reconnect_window_s=3.0)

_NO_ANSWER = (Stopped, ConnectionLost, NeedsOperator, LockExhausted, Fenced)

StageName = Literal["up", "smoke", "trace", "down", "compare", "again"]
Smoke = Callable[[str, Dsn], None]  # of a revision, on a clone


@dataclass(frozen=True)
class Stage:
    name: StageName
    ms: int


@dataclass(frozen=True)
class Ground:
    """The clone to rehearse on, and who is told. `smoke` raises a named failure when the application is unwell."""

    clone: Clone
    server: RehearsalServer
    installation: uuid.UUID
    operator: str
    report: Callable[[Event], None]
    stage: Callable[[str, StageName], None]
    should_stop: ShouldStop
    canceller: Canceller
    smoke: Smoke | None = None

    def admin(self, clone: Clone) -> Dsn:
        """The way in that sees every row."""
        return self.server.admin_dsn(clone.name)


@dataclass
class Sheet:
    """What is known so far of the revision under way."""

    ground: Ground
    revision_id: str
    stages: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: StageName) -> Iterator[None]:
        self.ground.stage(self.revision_id, name)
        began = time.monotonic()
        try:
            yield
        finally:
            self.stages.append(Stage(name, round((time.monotonic() - began) * 1000)))


@contextmanager
def kept(ground: Ground) -> Iterator[Clone]:
    """The clone as it is now, in a database of its own."""
    before = copy_clone(ground.clone, ground.server, installation=ground.installation, part=BEFORE)
    try:
        yield before
    finally:
        drop_clone(ground.server, before.name)


def start_over(ground: Ground, before: Clone, direction: Direction, revision: PlannedRevision) -> None:
    """The clone as it was, and the revision run on it once: what the next of the chain meets on a target."""
    drop_clone(ground.server, ground.clone.name)
    copy_clone(before, ground.server, installation=ground.installation, part="")
    run(ground, direction, revision)


def tried(work: Callable[[], None]) -> LockstepError | None:
    """The named failure of a part whose failing is an answer; a stop is none, nor is a server that went away."""
    try:
        work()
    except _NO_ANSWER:
        raise
    except LockstepError as failure:
        return failure
    return None


def up_and_smoke(sheet: Sheet, up: PlannedRevision) -> None:
    ground = sheet.ground
    timed_run(sheet, "up", up)
    if ground.smoke is not None:
        with sheet.stage("smoke"):
            ground.smoke(up.revision_id, ground.clone.dsn)


def timed_run(sheet: Sheet, direction: Direction, revision: PlannedRevision) -> None:
    with sheet.stage(direction):
        run(sheet.ground, direction, revision)


def run(ground: Ground, direction: Direction, revision: PlannedRevision) -> None:
    execute_to_the_end(
        Plan(direction, (revision,)),
        ground.clone.dsn,
        job=Job(uuid.uuid4(), ground.operator, WORKER, ground.clone.uid),
        limits=_LIMITS,
        report=ground.report,
        should_stop=ground.should_stop,
        canceller=ground.canceller,
    )


def traced(sheet: Sheet, before: Clone, plans: Sequence[Plan]) -> list[tuple[StatementTrace, ...]]:
    """Measured on a copy of its own, statement by statement; always two answers."""
    ground = sheet.ground
    with sheet.stage("trace"):
        copy = copy_clone(before, ground.server, installation=ground.installation, part=TRACED)
        try:
            found = [_trace(ground, copy, plan) for plan in plans]
        finally:
            drop_clone(ground.server, copy.name)
    return [*found, ()][:2]


def _trace(ground: Ground, copy: Clone, plan: Plan) -> tuple[StatementTrace, ...]:
    try:
        return trace(
            copy.dsn,
            plan,
            clone=copy.uid,
            report=_silent,
            admin=ground.admin(copy),
            canceller=ground.canceller,
        )
    except Stopped:
        raise
    except LockstepError as failure:
        if ground.should_stop() is not None:
            return ()  # it was cancelled, and whatever comes next says so
        # What was measured is a help; the run itself, which succeeded or failed on its own, is the answer.
        ground.report(Event("notice", f"The measuring was given up: {failure.message}", level="warning"))
        return ()


def _silent(line: str) -> None:
    """The run on the clone has told it already."""
