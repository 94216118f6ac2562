"""Carry open cutovers on: look at the run of the step at hand, then start the next one, or halt with a sentence.

Any worker's reconciler may call it at any time: a cutover is held while one looks, and what was done stands in rows.
"""

from __future__ import annotations

import structlog
from django.db import transaction
from django.db.models.functions import Now

from migrations_app.admission.door import start_run
from migrations_app.admission.rollback import roll_back_run
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.models import Cutover, CutoverStep, Environment, EnvironmentRelease, Release
from migrations_app.permissions import may
from migrations_app.releases.gates.changing import move, record_change
from migrations_app.rollouts.cutting_over import left_to_undo, moved
from migrations_app.rollouts.planning import preview_up
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
        cutover = rows.select_related("release__service", "requested_by").filter(pk=pk, status__in=_CARRIED).first()
        if cutover is None:
            return
        if cutover.status == CutoverStatus.RUNNING:
            _forward(cutover)
        else:
            _backward(cutover)


def _forward(cutover: Cutover) -> None:
    step = cutover.steps.filter(status__in=_LEFT).select_related("environment__service", "run").first()
    if step is None:
        _done(cutover)
    elif step.run is None:
        _start(cutover, step)
    elif step.run.status not in OPEN:
        _ended(cutover, step)


def _start(cutover: Cutover, step: CutoverStep) -> None:
    """The next environment's run; one that has nothing to get is there already."""
    if cutover.glass_id is None and not may(cutover.requested_by, "cut_over"):
        _halt(cutover, step, f"{cutover.requested_by.get_username()} may not cut releases over any more.")
        return
    if preview_up(step.environment, step.to_revision) is None:
        _reached(cutover, step, CutoverStepStatus.NOTHING, "It stood there already.")
        return
    try:
        started = start_run(
            environment=step.environment,
            direction="up",
            to=step.to_revision,
            by=cutover.requested_by,
            reason=f"Cutover {cutover.pk} of {cutover.release.release_id}",
        )
    except LockstepError as failure:
        _halt(cutover, step, failure.sentence)
        return
    CutoverStep.objects.filter(pk=step.pk).update(
        status=CutoverStepStatus.RUNNING,
        run=started.run,
        from_revision=started.run.from_revision,
        started_at=Now(),
        ended_at=None,
    )
    _tell(cutover, "cutover.step", {"environment": step.environment.name, "run": started.run.pk})


def _ended(cutover: Cutover, step: CutoverStep) -> None:
    assert step.run is not None, "looked at by _forward()"
    if step.run.status == RunStatus.SUCCEEDED:
        _reached(cutover, step, CutoverStepStatus.DONE, "")
        return
    _halt(cutover, step, f"Run {step.run.pk} on {step.environment.name}: {SENTENCES[step.run.status]}")


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
    """The last environment first; each run is undone exactly, by the conditions of any roll-back."""
    steps = cutover.steps.filter(run__isnull=False).exclude(status=CutoverStepStatus.ROLLED_BACK)
    for step in steps.select_related("environment__service", "run", "back_run").order_by("-ordinal"):
        assert step.run is not None, "filtered by it"
        if step.back_run is not None:
            if step.back_run.status not in OPEN:
                _ended_back(cutover, step)
            return
        if left_to_undo(step.run):
            _start_back(cutover, step)
            return
    _all_back(cutover)


def _start_back(cutover: Cutover, step: CutoverStep) -> None:
    assert step.run is not None, "chosen by _backward()"
    try:
        started = roll_back_run(step.run, by=cutover.requested_by, reason=f"Cutover {cutover.pk} is taken back")
    except Refused as failure:
        _halt(cutover, step, failure.sentence)
        return
    CutoverStep.objects.filter(pk=step.pk).update(back_run=started.run)
    _tell(cutover, "cutover.step_back", {"environment": step.environment.name, "run": started.run.pk})


def _ended_back(cutover: Cutover, step: CutoverStep) -> None:
    assert step.back_run is not None, "looked at by _backward()"
    if step.back_run.status != RunStatus.ROLLED_BACK:
        told = f"Run {step.back_run.pk} on {step.environment.name}: {SENTENCES[step.back_run.status]}"
        _halt(cutover, step, told)
        return
    CutoverStep.objects.filter(pk=step.pk).update(status=CutoverStepStatus.ROLLED_BACK, ended_at=Now())
    returns(cutover, step.environment)


def _all_back(cutover: Cutover) -> None:
    """Those that had nothing to get, and those whose run somebody has undone, run what they ran before as well."""
    left = cutover.steps.filter(status__in=(CutoverStepStatus.NOTHING, CutoverStepStatus.DONE))
    for step in left.select_related("environment"):
        CutoverStep.objects.filter(pk=step.pk).update(status=CutoverStepStatus.ROLLED_BACK)
        returns(cutover, step.environment)
    moved(cutover, CutoverStatus.ROLLED_BACK, ended_at=Now(), sentence="")
    from_ = frozenset({ReleaseStatus.CUTTING_OVER, ReleaseStatus.LIVE})
    move(cutover.release, to=ReleaseStatus.ROLLED_BACK, only_from=from_)
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
