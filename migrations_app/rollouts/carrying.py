"""Carry open cutovers on: look at the run of the step at hand, then start the next one, or halt with a sentence.

Any worker's reconciler may call it at any time: a cutover is held while one looks, and what was done stands in rows.
"""

from __future__ import annotations

import structlog
from django.db import transaction
from django.db.models.functions import Now

from migrations_app.admission.door import start_run
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.models import Cutover, CutoverStep, Environment, EnvironmentRelease, Release
from migrations_app.permissions import may
from migrations_app.releases.gates.changing import begun, move, record_change
from migrations_app.releases.gates.reading import database_now, revisions_hash, targets_hash
from migrations_app.rollouts.cutting_over import above_the_plan, moved, runs_somewhere, stands_above
from migrations_app.rollouts.planning import needed_to_carry, past_its_window, preview_up
from migrations_app.runs.planning import ROOT, revisions_between
from migrations_app.statuses import (
    OPEN,
    SENTENCES,
    CutoverStatus,
    CutoverStepStatus,
    ReleaseStatus,
    RunStatus,
)

_CARRIED = (CutoverStatus.RUNNING, CutoverStatus.ROLLING_BACK)
_LEFT = (CutoverStepStatus.PENDING, CutoverStepStatus.RUNNING)

log = structlog.get_logger(__name__)


def carry_on_all() -> None:
    """One step of each open cutover at most; what another process holds is left to it."""
    for pk in Cutover.objects.filter(status__in=_CARRIED).values_list("pk", flat=True):
        carry_on(pk)


def carry_on(pk: int) -> None:
    with transaction.atomic():
        rows = Cutover.objects.select_for_update(of=("self",), skip_locked=True)
        cutover = (
            rows.select_related("release__service", "requested_by", "acting").filter(pk=pk, status__in=_CARRIED).first()
        )
        if cutover is None:
            return
        carry = _forward if cutover.status == CutoverStatus.RUNNING else _backward
        try:
            carry(cutover)
        except LockstepError as failure:
            # Of a chain that changed underneath, for one: it must not keep other cutovers and runs waiting.
            moved(cutover, CutoverStatus.HALTED, sentence=failure.sentence[:1000])
            _tell(cutover, "cutover.halt", {"why": failure.sentence})


def _forward(cutover: Cutover) -> None:
    step = cutover.steps.filter(status__in=_LEFT).select_related("environment__service", "run").first()
    if step is None:
        _done(cutover)
    elif step.run is None:
        _start(cutover, step)
    elif step.run.status not in OPEN:
        _ended(cutover, step)


def _start(cutover: Cutover, step: CutoverStep) -> None:
    """The next environment's run; one that has nothing to get is there already. What is refused halts it."""
    try:
        _lock_in_order(cutover, step)
        _refuse_what_changed(cutover)
        if preview_up(step.environment, step.to_revision) is None:
            _refuse_past(cutover, step)
            CutoverStep.objects.filter(pk=step.pk, started_at=None).update(from_revision=step.environment.head_revision)
            _reached(cutover, step, CutoverStepStatus.NOTHING, "It stood there already.")
            return
        run = start_run(
            environment=step.environment,
            direction="up",
            to=step.to_revision,
            by=cutover.acting or cutover.requested_by,
            reason=f"Cutover {cutover.pk} of {cutover.release.release_id}",
        ).run
    except LockstepError as failure:
        _halt(cutover, step, failure.sentence)
        return
    # Tried once more, it goes back to where it stood the first time.
    first = {} if step.started_at else {"from_revision": run.from_revision, "started_at": Now()}
    CutoverStep.objects.filter(pk=step.pk).update(status=CutoverStepStatus.RUNNING, run=run, ended_at=None, **first)
    _tell(cutover, "cutover.step", {"environment": step.environment.name, "run": run.pk})


def _lock_in_order(cutover: Cutover, step: CutoverStep) -> None:
    """As cut_over() takes them. A run's own audit entry would lock the chain before the release: who signs at that
    moment has them the other way round. The environment is the one that is looked at from here on."""
    rows = Environment.objects.select_for_update(of=("self",)).select_related("service")
    step.environment = rows.get(pk=step.environment_id)
    begun(cutover.release)


def _refuse_what_changed(cutover: Cutover) -> None:
    """Since it was created, or since a person last decided about it."""
    who = cutover.acting or cutover.requested_by
    if not may(who, needed_to_carry(cutover)):
        raise _changed("asker_may_not", f"{who.get_username()} may not do this any more.", "Somebody else goes on.")
    if cutover.revisions_hash != revisions_hash(cutover.release):
        told = "The SQL of its revisions is not what was signed."
        raise _changed("revisions_differ", told, "Give it up, and register and sign a release with them.")
    # One from before the column has none.
    if cutover.targets_hash not in ("", targets_hash(cutover.release)):
        told = "An environment was added, removed or changed since the gates were judged."
        raise _changed("targets_differ", told, "Have the gates signed for it and go on, or give it up.")
    if not cutover.past_window and cutover.planned_until and database_now() >= cutover.planned_until:
        raise _changed("too_late", "Its planned window is over.", "Go on all the same, or give it up.")


def _refuse_past(cutover: Cutover, step: CutoverStep) -> None:
    for condition in past_its_window(cutover.release, step.environment, step.to_revision):
        raise _changed(condition.code, condition.sentence, condition.clears)


def _changed(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done="No run was started.", next_step=next_step)


def _ended(cutover: Cutover, step: CutoverStep) -> None:
    assert step.run is not None, "looked at by _forward()"
    told = f"Run {step.run.pk} on {step.environment.name}: {SENTENCES[step.run.status]}"
    if step.run.status != RunStatus.SUCCEEDED:
        _halt(cutover, step, told)
    elif revisions_between(step.environment, "up", step.to_revision):
        stands = step.environment.head_revision or "no revision"
        _halt(cutover, step, f"{told} But it stands at {stands} now: something was rolled back since.")
    else:
        _reached(cutover, step, CutoverStepStatus.DONE, "")


def _reached(cutover: Cutover, step: CutoverStep, status: CutoverStepStatus, sentence: str) -> None:
    CutoverStep.objects.filter(pk=step.pk).update(status=status, sentence=sentence, ended_at=Now())
    goes_live(cutover.release, step.environment, cutover)
    _tell(cutover, "cutover.reached", {"environment": step.environment.name})


def _done(cutover: Cutover) -> None:
    moved(cutover, CutoverStatus.DONE, ended_at=Now(), sentence="")
    move(cutover.release, to=ReleaseStatus.LIVE, only_from=frozenset({ReleaseStatus.CUTTING_OVER}))
    _tell(cutover, "cutover.done", {})


def _halt(cutover: Cutover, step: CutoverStep, sentence: str) -> None:
    CutoverStep.objects.filter(pk=step.pk).update(
        status=CutoverStepStatus.FAILED, sentence=sentence[:1000], ended_at=Now()
    )
    moved(cutover, CutoverStatus.HALTED, sentence=f"{step.environment.name}: {sentence}"[:1000])
    log.warning("cutover halted", cutover=cutover.pk, environment=step.environment.name, why=sentence)
    _tell(cutover, "cutover.halt", {"environment": step.environment.name, "why": sentence})


def _backward(cutover: Cutover) -> None:
    """The last environment first, each to where it stood; one that stands there already needs no run."""
    steps = cutover.steps.exclude(status=CutoverStepStatus.ROLLED_BACK)
    for step in steps.select_related("environment__service", "back_run").order_by("-ordinal"):
        if step.back_run is not None and step.back_run.status in OPEN:
            return
        if step.back_run is not None and step.back_run.status != RunStatus.ROLLED_BACK:
            told = f"Run {step.back_run.pk} on {step.environment.name}: {SENTENCES[step.back_run.status]}"
            _halt(cutover, step, told)
            return
        if stands_above(step):
            _start_back(cutover, step)
            return
        if step.started_at is not None or step.status == CutoverStepStatus.NOTHING:
            _went_back(cutover, step)
    _all_back(cutover)


def _start_back(cutover: Cutover, step: CutoverStep) -> None:
    try:
        for condition in above_the_plan(step):
            raise _changed(condition.code, condition.sentence, condition.clears)
        _lock_in_order(cutover, step)
        run = start_run(
            environment=step.environment,
            direction="down",
            to=step.from_revision or ROOT,
            by=cutover.acting or cutover.requested_by,
            reason=f"Cutover {cutover.pk} is taken back",
        ).run
    except LockstepError as failure:
        _halt(cutover, step, failure.sentence)
        return
    CutoverStep.objects.filter(pk=step.pk).update(back_run=run)
    _tell(cutover, "cutover.step_back", {"environment": step.environment.name, "run": run.pk})


def _went_back(cutover: Cutover, step: CutoverStep) -> None:
    CutoverStep.objects.filter(pk=step.pk).update(status=CutoverStepStatus.ROLLED_BACK, ended_at=Now())
    returns(cutover, step.environment)
    _tell(cutover, "cutover.returned", {"environment": step.environment.name})


def _all_back(cutover: Cutover) -> None:
    moved(cutover, CutoverStatus.ROLLED_BACK, ended_at=Now(), sentence="")
    to = ReleaseStatus.LIVE if runs_somewhere(cutover.release) else ReleaseStatus.ROLLED_BACK
    if to == ReleaseStatus.LIVE:
        move(cutover.release, to=to, only_from=frozenset({ReleaseStatus.CUTTING_OVER}))
    else:
        move(cutover.release, to=to, only_from=frozenset({ReleaseStatus.CUTTING_OVER, ReleaseStatus.LIVE}))
    _tell(cutover, "cutover.rolled_back", {})


def goes_live(release: Release, environment: Environment, cutover: Cutover | None) -> None:
    """The environment runs this release from now on; one that runs nowhere any more is superseded."""
    before = EnvironmentRelease.objects.filter(environment=environment, until=None).select_related("release").first()
    if before is not None and before.release_id == release.pk:
        return
    EnvironmentRelease.objects.filter(environment=environment, until=None).update(until=Now())
    EnvironmentRelease.objects.create(environment=environment, release=release, cutover=cutover)
    if before is not None and not EnvironmentRelease.objects.filter(release=before.release, until=None).exists():
        move(before.release, to=ReleaseStatus.SUPERSEDED, only_from=frozenset({ReleaseStatus.LIVE}))


def returns(cutover: Cutover, environment: Environment) -> None:
    """The environment runs what it ran before this cutover, if that is known."""
    mine = EnvironmentRelease.objects.filter(environment=environment, cutover=cutover)
    if not mine.filter(until=None).update(until=Now()):
        return
    first = mine.order_by("pk").first()
    earlier = EnvironmentRelease.objects.filter(environment=environment, pk__lt=first.pk if first else 0)
    before = earlier.order_by("-pk").select_related("release").first()
    if before is not None:
        EnvironmentRelease.objects.create(environment=environment, release=before.release, cutover=before.cutover)
        move(before.release, to=ReleaseStatus.LIVE, only_from=frozenset({ReleaseStatus.SUPERSEDED}))


def _tell(cutover: Cutover, verb: str, after: dict[str, object]) -> None:
    """The worker's own doing, so nobody's name stands there."""
    record_change(cutover.release, verb, None, {"cutover": cutover.pk, **after})
