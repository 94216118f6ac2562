"""One revision rehearsed on a clone: up and verify, down, compare with the copy made before, up again.

The job contract runs the scripts, as it does on a target: same locks, steps, verify and receipts. What was there before
is a database of its own, so that a comparison sees everything and a script cannot reach it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from migrations_app.engine.clone.contents import Loss
from migrations_app.engine.clone.ground import (
    Ground,
    Sheet,
    Stage,
    kept,
    run,
    start_over,
    timed_run,
    traced,
    tried,
    up_and_smoke,
)
from migrations_app.engine.clone.make import Clone
from migrations_app.engine.clone.seeing import (
    Seen,
    emptied_views,
    losses_not_known,
    losses_not_seen,
    see,
    seen_losses,
    statements_without_effect,
    unfilled,
)
from migrations_app.engine.clone.trace import StatementTrace
from migrations_app.engine.clone.unproven import Unfilled
from migrations_app.engine.clone.unseen import schema_not_measured
from migrations_app.engine.contract.plan import Plan, PlannedRevision
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.sql.beyond import beside_the_schema, reaches_beyond
from migrations_app.engine.sql.proving import overwriting
from migrations_app.engine.target.fingerprint import comparable

Verdict = Literal["reversible", "lossy", "irreversible"]


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
class _Known:
    """Of an applied revision: see rehearse_down()."""

    before: str
    compared: bool


def rehearse_up(ground: Ground, up: PlannedRevision, down: PlannedRevision | None) -> Rehearsed:
    """Leaves the clone as the revision leaves a target, so that the next one of the chain can follow.

    Raises Stopped; every other named failure is part of the answer.
    """
    _refuse_reaching_beyond(up, down)
    with kept(ground) as before:
        return _up_and_back(Sheet(ground, up.revision_id), before, up, down)


def rehearse_down(
    ground: Ground, up: PlannedRevision, down: PlannedRevision | None, *, schema_before: str, compared: bool = False
) -> Rehearsed:
    """The other way round, for a revision that is applied: what rolling it back takes, and whether up brings it back.

    `schema_before` is the fingerprint of the schema before it, if a receipt or a rehearsal names it; `compared` says
    that a rehearsal from before it was applied has seen what does not come back. Leaves the clone rolled back. Raises
    Stopped.
    """
    _refuse_reaching_beyond(up, down)
    with kept(ground) as before:
        known = _Known(schema_before, compared)
        return _down_and_up(Sheet(ground, up.revision_id), before, up, down, known)


def bring_up(ground: Ground, up: PlannedRevision) -> None:
    """Apply what the original has already, and the backup that was cloned has not yet; nothing is measured."""
    _refuse_reaching_beyond(up)
    run(ground, "up", up)


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


def _up_and_back(sheet: Sheet, before: Clone, up: PlannedRevision, down: PlannedRevision | None) -> Rehearsed:
    ground = sheet.ground
    was = _see(ground)
    failure = tried(lambda: up_and_smoke(sheet, up))
    if failure is not None:
        return Rehearsed(up.revision_id, None, was.fp, stages=tuple(sheet.stages), failure=failure)
    became = _see(ground)
    up_traces, down_traces = traced(sheet, before, [Plan("up", (up,)), *([Plan("down", (down,))] if down else [])])
    known = Rehearsed(up.revision_id, "irreversible", was.fp, became.fp, traces=up_traces, down_traces=down_traces)
    idle = statements_without_effect(ground.server, before, ground.clone, up.script, up_traces)
    failure = None if down is None else tried(lambda: timed_run(sheet, "down", down))
    if down is None or failure is not None:
        if down is not None:
            start_over(ground, before, "up", up)
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
        start_over(ground, before, "up", up)
    return replace(known, verdict=_verdict(losses), fp_back=back.fp, losses=losses, stages=tuple(sheet.stages))


def _down_and_up(
    sheet: Sheet, before: Clone, up: PlannedRevision, down: PlannedRevision | None, applied: _Known
) -> Rehearsed:
    ground = sheet.ground
    stood = _see(ground)
    known = Rehearsed(up.revision_id, "irreversible", applied.before, stood.fp)
    if down is None:
        return known
    failure = tried(lambda: timed_run(sheet, "down", down))
    if failure is not None:
        return replace(known, stages=tuple(sheet.stages), failure=failure)
    back = _see(ground)
    down_traces, up_traces = traced(sheet, before, [Plan("down", (down,)), Plan("up", (up,))])
    empty = unfilled(ground.server, before, (stood.standing, back.standing), down.script)
    known = replace(known, fp_back=back.fp, traces=up_traces, down_traces=down_traces, unfilled=empty)
    stands = (back.standing, stood.standing)
    unseen = emptied_views(ground.server, before, ground.clone)
    if not applied.compared:
        unseen += losses_not_known(ground.server, ground.clone, stands, up.script, up_traces)
    with sheet.stage("again"):
        losses = _again(ground, up)
    with sheet.stage("compare"):
        # What names an object first, what only doubts last.
        losses += (*_lost(ground, before, stood, _see(ground)), *unseen, *_other_than_before(up, back.fp, applied))
    start_over(ground, before, "down", down)
    return replace(known, verdict=_verdict(losses), losses=losses, stages=tuple(sheet.stages))


def _lost(ground: Ground, before: Clone, was: Seen, back: Seen) -> tuple[Loss, ...]:
    return seen_losses(ground.server, before, ground.clone, was, back)


def _again(ground: Ground, up: PlannedRevision) -> tuple[Loss, ...]:
    """Only that it can be: what is made of the moment, as a view over now() is, differs each time it is applied."""
    failure = tried(lambda: run(ground, "up", up))
    return () if failure is None else (Loss("again", up.revision_id, f"It cannot be applied again: {failure.message}"),)


def _other_than_before(up: PlannedRevision, back: str, applied: _Known) -> tuple[Loss, ...]:
    """Measured where somebody measured the schema before it; else by whether the script proves what it met."""
    if applied.before and comparable(back, applied.before):
        sentence = f"The schema is not the one that stood before {up.revision_id} was applied."
        if back != applied.before:
            return (Loss("schema", up.revision_id, sentence),)
        hidden = beside_the_schema(up.script)
    else:
        hidden = overwriting(up.script)
    return () if hidden is None or applied.compared else (schema_not_measured(hidden, up.script),)


def _verdict(losses: Sequence[Loss]) -> Verdict:
    return "lossy" if losses else "reversible"


def _see(ground: Ground) -> Seen:
    return see(ground.server, ground.clone)
