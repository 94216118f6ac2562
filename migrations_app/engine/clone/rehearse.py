"""One revision rehearsed on a clone: up and verify, down, compare with the copy made before, up again.

The job contract runs the scripts, as it does on a target: same locks, steps, verify and receipts. What was there before
is a database of its own, so that a comparison sees everything and a script cannot reach it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from migrations_app.engine.clone.contents import Loss
from migrations_app.engine.clone.copying import copy_clone, drop_clone
from migrations_app.engine.clone.make import Clone
from migrations_app.engine.clone.seeing import (
    Seen,
    losses_not_known,
    losses_not_seen,
    see,
    seen_losses,
    statements_without_effect,
    unfilled,
)
from migrations_app.engine.clone.server import RehearsalServer
from migrations_app.engine.clone.trace import StatementTrace, trace
from migrations_app.engine.clone.unproven import Unfilled
from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.events import Event, ShouldStop
from migrations_app.engine.contract.plan import Direction, Plan, PlannedRevision
from migrations_app.engine.contract.recovery import execute_to_the_end
from migrations_app.engine.contract.work import Job, Limits
from migrations_app.engine.errors import (
    ConnectionLost,
    Fenced,
    LockExhausted,
    LockstepError,
    NeedsOperator,
    Refused,
    Stopped,
)
from migrations_app.engine.sql.beyond import reaches_beyond
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.fingerprint import comparable

BEFORE, TRACED = "before", "trace"
WORKER = "rehearsal"
# A server that crashed counts for nothing any more, so only a session that ended alone is worth waiting for.
_LIMITS = Limits(lock_window_s=30.0, reconnect_window_s=3.0)

_NO_ANSWER = (Stopped, ConnectionLost, NeedsOperator, LockExhausted, Fenced)
StageName = Literal["up", "smoke", "trace", "down", "compare", "again"]
Verdict = Literal["reversible", "lossy", "irreversible"]
Smoke = Callable[[str, Dsn], None]  # of a revision, on a clone


@dataclass(frozen=True)
class Stage:
    name: StageName
    ms: int


@dataclass(frozen=True)
class Rehearsed:
    """What came of one revision; `verdict` is None when it did not get as far as being rolled back."""

    revision_id: str
    verdict: Verdict | None
    fp_before: str
    fp_after: str = ""
    fp_back: str = ""
    losses: tuple[Loss, ...] = ()
    stages: tuple[Stage, ...] = ()
    traces: tuple[StatementTrace, ...] = ()
    down_traces: tuple[StatementTrace, ...] = ()
    unfilled: tuple[Unfilled, ...] = ()  # on a way back: what goes, and held nothing to be lost
    failure: LockstepError | None = None


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


@dataclass(frozen=True)
class _Known:
    """Of an applied revision: see rehearse_down()."""

    receipt_before: str
    compared: bool


@dataclass
class _Sheet:
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


def rehearse_up(ground: Ground, up: PlannedRevision, down: PlannedRevision | None) -> Rehearsed:
    """Leaves the clone as the revision leaves a target, so that the next one of the chain can follow.

    Raises Stopped; every other named failure is part of the answer.
    """
    _refuse_reaching_beyond(up, down)
    with _kept(ground) as before:
        return _up_and_back(_Sheet(ground, up.revision_id), before, up, down)


def rehearse_down(
    ground: Ground, up: PlannedRevision, down: PlannedRevision | None, *, receipt_before: str, compared: bool = False
) -> Rehearsed:
    """The other way round, for a revision that is applied: what rolling it back takes, and whether up brings it back.

    `receipt_before` is the fingerprint its receipt names for the schema before it, if it names one; `compared` says
    that a rehearsal from before it was applied has seen what does not come back. Leaves the clone rolled back. Raises
    Stopped.
    """
    _refuse_reaching_beyond(up, down)
    with _kept(ground) as before:
        known = _Known(receipt_before, compared)
        return _down_and_up(_Sheet(ground, up.revision_id), before, up, down, known)


def bring_up(ground: Ground, up: PlannedRevision) -> None:
    """Apply what the original has already, and the backup that was cloned has not yet; nothing is measured."""
    _refuse_reaching_beyond(up)
    _run(ground, "up", up)


def _refuse_reaching_beyond(*scripts: PlannedRevision | None) -> None:
    """Roles and databases belong to the whole server, and a subscription takes from a real one."""
    for script in scripts:
        for step in script.steps if script else ():
            for statement in step.statements:
                if reaches_beyond(statement):
                    raise Refused(
                        "beyond_the_database",
                        f"{script.revision_id if script else ''} has {statement.tag} on line {statement.line}, which "
                        "reaches beyond its database and so cannot be tried on a clone.",
                        not_done="It and what follows was not rehearsed.",
                        next_step="Keep roles and their members, databases, tablespaces and subscriptions out of "
                        "revisions, or rehearse without this one.",
                    )


@contextmanager
def _kept(ground: Ground) -> Iterator[Clone]:
    """The clone as it is now, in a database of its own."""
    before = copy_clone(ground.clone, ground.server, installation=ground.installation, part=BEFORE)
    try:
        yield before
    finally:
        drop_clone(ground.server, before.name)


def _up_and_back(sheet: _Sheet, before: Clone, up: PlannedRevision, down: PlannedRevision | None) -> Rehearsed:
    ground = sheet.ground
    was = _see(ground)
    failure = _tried(lambda: _up_and_smoke(sheet, up))
    if failure is not None:
        return Rehearsed(up.revision_id, None, was.fp, stages=tuple(sheet.stages), failure=failure)
    became = _see(ground)
    up_traces, down_traces = _traced(sheet, before, [Plan("up", (up,)), *([Plan("down", (down,))] if down else [])])
    known = Rehearsed(up.revision_id, "irreversible", was.fp, became.fp, traces=up_traces, down_traces=down_traces)
    idle = statements_without_effect(ground.server, before, ground.clone, up.script, up_traces)
    failure = None if down is None else _tried(lambda: _timed_run(sheet, "down", down))
    if down is None or failure is not None:
        if down is not None:
            _start_over(ground, before, "up", up)
        return replace(known, stages=tuple(sheet.stages), failure=failure)
    with sheet.stage("compare"):
        back = _see(ground)
        losses = _lost(ground, before, was, back)
        told = {loss.object for loss in losses}  # what was seen to be lost needs no second sentence
        stood = (was.standing, became.standing)
        unseen = losses_not_seen(ground.server, before, stood, up.script, up_traces, idle)
        losses += tuple(loss for loss in unseen if loss.object not in told)
    with sheet.stage("again"):
        losses += _again(ground, up)
    if losses:
        _start_over(ground, before, "up", up)
    return replace(known, verdict=_verdict(losses), fp_back=back.fp, losses=losses, stages=tuple(sheet.stages))


def _down_and_up(
    sheet: _Sheet, before: Clone, up: PlannedRevision, down: PlannedRevision | None, applied: _Known
) -> Rehearsed:
    ground = sheet.ground
    stood = _see(ground)
    known = Rehearsed(up.revision_id, "irreversible", applied.receipt_before, stood.fp)
    if down is None:
        return known
    failure = _tried(lambda: _timed_run(sheet, "down", down))
    if failure is not None:
        return replace(known, stages=tuple(sheet.stages), failure=failure)
    back = _see(ground)
    down_traces, up_traces = _traced(sheet, before, [Plan("down", (down,)), Plan("up", (up,))])
    empty = unfilled(ground.server, before, (stood.standing, back.standing), down.script)
    known = replace(known, fp_back=back.fp, traces=up_traces, down_traces=down_traces, unfilled=empty)
    stands = (back.standing, stood.standing)
    unseen = () if applied.compared else losses_not_known(ground.server, ground.clone, stands, up.script)
    with sheet.stage("again"):
        losses = (*_other_than_receipt(up, back.fp, applied.receipt_before), *_again(ground, up))
    with sheet.stage("compare"):
        losses += (*_lost(ground, before, stood, _see(ground)), *unseen)
    _start_over(ground, before, "down", down)
    return replace(known, verdict=_verdict(losses), losses=losses, stages=tuple(sheet.stages))


def _tried(work: Callable[[], None]) -> LockstepError | None:
    """The named failure of a part whose failing is an answer; a stop is none, nor is a server that went away."""
    try:
        work()
    except _NO_ANSWER:
        raise
    except LockstepError as failure:
        return failure
    return None


def _up_and_smoke(sheet: _Sheet, up: PlannedRevision) -> None:
    ground = sheet.ground
    _timed_run(sheet, "up", up)
    if ground.smoke is not None:
        with sheet.stage("smoke"):
            ground.smoke(up.revision_id, ground.clone.dsn)


def _timed_run(sheet: _Sheet, direction: Direction, revision: PlannedRevision) -> None:
    with sheet.stage(direction):
        _run(sheet.ground, direction, revision)


def _run(ground: Ground, direction: Direction, revision: PlannedRevision) -> None:
    execute_to_the_end(
        Plan(direction, (revision,)),
        ground.clone.dsn,
        job=Job(uuid.uuid4(), ground.operator, WORKER, ground.clone.uid),
        limits=_LIMITS,
        report=ground.report,
        should_stop=ground.should_stop,
        canceller=ground.canceller,
    )


def _traced(sheet: _Sheet, before: Clone, plans: Sequence[Plan]) -> list[tuple[StatementTrace, ...]]:
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


def _lost(ground: Ground, before: Clone, was: Seen, back: Seen) -> tuple[Loss, ...]:
    return seen_losses(ground.server, before, ground.clone, was, back)


def _again(ground: Ground, up: PlannedRevision) -> tuple[Loss, ...]:
    """Only that it can be: what is made of the moment, as a view over now() is, differs each time it is applied."""
    failure = _tried(lambda: _run(ground, "up", up))
    return () if failure is None else (Loss("again", up.revision_id, f"It cannot be applied again: {failure.message}"),)


def _other_than_receipt(up: PlannedRevision, back: str, receipt_before: str) -> tuple[Loss, ...]:
    if not receipt_before or not comparable(back, receipt_before) or back == receipt_before:
        return ()
    sentence = f"The schema is not the one that stood before {up.revision_id} was applied."
    return (Loss("schema", up.revision_id, sentence),)


def _start_over(ground: Ground, before: Clone, direction: Direction, revision: PlannedRevision) -> None:
    """The clone as it was, and the revision run on it once: what the next of the chain meets on a target."""
    drop_clone(ground.server, ground.clone.name)
    copy_clone(before, ground.server, installation=ground.installation, part="")
    _run(ground, direction, revision)


def _verdict(losses: Sequence[Loss]) -> Verdict:
    return "lossy" if losses else "reversible"


def _see(ground: Ground) -> Seen:
    return see(ground.server, ground.clone)
