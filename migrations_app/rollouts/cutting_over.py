"""The verbs of a cutover: start it, go on after a halt, give it up, take it back. What follows is carrying.py's work.

A cutover is created only in a transaction that holds the release's state and its environments and judged every gate
there; a trigger looks once more before the commit.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from migrations_app.admission.conditions import Condition, NotAdmitted
from migrations_app.admission.door import preview
from migrations_app.engine.errors import Refused
from migrations_app.models import (
    BreakGlass,
    Cutover,
    CutoverGate,
    CutoverStep,
    Environment,
    EnvironmentRelease,
    Release,
    Service,
)
from migrations_app.moments import in_utc
from migrations_app.reasons import require_reason
from migrations_app.releases.gates.changing import begun, move, record_change
from migrations_app.releases.gates.glass import answer_glass, blockers_hash
from migrations_app.releases.gates.judging import Verdict
from migrations_app.releases.gates.pending import head_of
from migrations_app.releases.gates.reading import database_now, judged, revisions_hash, targets_hash
from migrations_app.releases.gates.telling import told
from migrations_app.rollouts.planning import (
    NOT_DONE,
    Window,
    environments_of,
    gates_in_the_way,
    in_the_way,
    judged_for,
    live_already,
    other_open,
    past_its_window,
    preview_up,
    refused,
)
from migrations_app.runs.planning import ROOT, revisions_between
from migrations_app.statuses import (
    CUTOVER_EDGES,
    OPEN,
    RELEASE_EDGES,
    CutoverStatus,
    CutoverStepStatus,
    ReleaseStatus,
)

_BEFORE_CUTOVER = frozenset(old for old, new in RELEASE_EDGES if new == ReleaseStatus.CUTTING_OVER)
_REACHED = (CutoverStepStatus.DONE, CutoverStepStatus.NOTHING)


def cut_over(
    *,
    release: Release,
    by: User,
    reason: str = "",
    environments: Sequence[str] | None = None,
    window: Window | None = None,
) -> Cutover:
    """Start it. Raises NotAdmitted with every gate that blocks and whatever else is in the way.

    Raises Refused("bad_window") for one that never holds.
    """
    window = _sound(window)
    with transaction.atomic():
        found = _locked(release, environments)
        begun(release)
        verdict, remark = judged_for(release, by)
        _refuse_unmet(release, found, (*gates_in_the_way(verdict, remark), *_as_a_whole(release, window)))
        return _create(release, found, verdict, by=by, reason=reason, window=window)


def break_glass(glass: BreakGlass, *, reason: str, by: User, environments: Sequence[str] | None = None) -> Cutover:
    """The second person's word, and the cutover with it. What both saw has to be what still stands.

    Raises Refused("blockers_differ") and what answer_glass() and cut_over() raise, but for gates.
    """
    release = glass.release
    with transaction.atomic():
        found = _locked(release, environments)
        begun(release)
        stands = judged(release)
        if blockers_hash(stands) != glass.blockers_hash:
            told = "What blocks, or what would be applied where, is not what it was asked for."
            raise refused("blockers_differ", told, "Ask for it again.")
        _refuse_unmet(release, found, _as_a_whole(release, None))
        answer_glass(glass, granted=True, reason=reason, by=by)
        return _create(release, found, stands.verdict, by=glass.asked_by, reason=glass.reason, glass=glass)


def go_on(cutover: Cutover, *, by: User, reason: str = "") -> Cutover:
    """After a halt on the way there: its gates are judged anew, and the step that failed is tried again."""
    with transaction.atomic():
        held = _held(cutover)
        release = held.release
        begun(release)
        if held.back_since is not None:
            raise _stays("cutover_goes_back", "It is on its way back.", "Take it back further.")
        if held.status != CutoverStatus.HALTED:
            raise _stands_elsewhere(held)
        targets = _judged_targets(held, by)
        late = held.past_window or bool(held.planned_until and database_now() >= held.planned_until)
        _to(held, CutoverStatus.RUNNING, sentence="", acting=by, targets_hash=targets, past_window=late)
        # Where it stood before stays: what an earlier run applied is rolled back with the rest.
        failed = held.steps.filter(status=CutoverStepStatus.FAILED)
        failed.update(status=CutoverStepStatus.PENDING, run=None, sentence="", ended_at=None)
        record_change(release, "cutover.resume", by, {"cutover": held.pk, "reason": reason, "targets_hash": targets})
    return fresh(cutover)


def give_up(cutover: Cutover, *, by: User, reason: str) -> Cutover:
    """Start nothing further. What is applied stands; a run at work has to end, or be stopped, first."""
    require_reason(reason, "Giving it up", not_done="The cutover goes on.", next_step="Say why.")
    with transaction.atomic():
        held = _held(cutover)
        begun(held.release)
        _refuse_at_work(held)
        _to(held, CutoverStatus.CANCELLED, sentence=f"Given up: {reason.strip()}"[:1000], ended_at=Now())
        to = ReleaseStatus.LIVE if runs_somewhere(held.release) else ReleaseStatus.COLLECTING
        move(held.release, to=to, only_from=frozenset({ReleaseStatus.CUTTING_OVER}))
        record_change(held.release, "cutover.give_up", by, {"cutover": held.pk, "reason": reason})
    return fresh(cutover)


def take_back(cutover: Cutover, *, by: User, reason: str) -> Cutover:
    """Roll each environment back to where it stood, the last one first, as its rehearsals allow.

    Raises NotAdmitted with everything that is in the way of any of them: nothing is rolled back in part knowingly.
    """
    require_reason(reason, "Taking it back", not_done="Nothing was rolled back.", next_step="Say why.")
    with transaction.atomic():
        held = _held(cutover)
        begun(held.release)
        _refuse_at_work(held)
        _refuse_older(held)
        steps = list(held.steps.exclude(status=CutoverStepStatus.ROLLED_BACK).select_related("environment__service"))
        if not any(step.started_at or step.status in _REACHED for step in steps):
            raise _stays("nothing_to_take_back", "It came to no environment.", "Nothing is left to do.")
        unmet = [condition for step in steps for condition in _way_back_of(step)]
        unmet += other_open(held.release, but=held.pk)
        if unmet:
            raise NotAdmitted(tuple(unmet), "Nothing was rolled back.")
        said = reason.strip()[:500]
        _to(held, CutoverStatus.ROLLING_BACK, sentence="", ended_at=None, acting=by, back_since=Now(), back_reason=said)
        held.steps.exclude(status=CutoverStepStatus.ROLLED_BACK).update(back_run=None)
        record_change(held.release, "cutover.take_back", by, {"cutover": held.pk, "reason": reason})
    return fresh(cutover)


def stands_above(step: CutoverStep) -> bool:
    """Whether its environment has something applied above where it stood before this cutover came to it."""
    if step.started_at is None:
        return False
    environment = Environment.objects.get(pk=step.environment_id)
    return bool(revisions_between(environment, "down", step.from_revision or ROOT))


def above_the_plan(step: CutoverStep) -> tuple[Condition, ...]:
    """What somebody applied on top of it would be rolled back with it, so that has to go first."""
    environment = Environment.objects.select_related("service").get(pk=step.environment_id)
    later = revisions_between(environment, "down", step.to_revision)
    if not later:
        return ()
    named = ", ".join(revision.revision_id for revision in later[:5])
    told = f"{named} {'stands' if len(later) == 1 else 'stand'} on what it applied on {environment.name}."
    return (Condition("later_revisions", told, f"Roll {environment.name} back to {step.to_revision} first."),)


def _judged_targets(cutover: Cutover, by: User) -> str:
    """Every gate passes by now, or the glass was broken for just what blocks; the targets for which that was found."""
    stands = judged(cutover.release, without=[cutover.requested_by_id, by.pk])
    if stands.verdict.blocking and cutover.glass is None:
        raise NotAdmitted(gates_in_the_way(stands.verdict), "The cutover stays halted.")
    if stands.verdict.blocking and cutover.glass is not None:
        stands = judged(cutover.release)
        if blockers_hash(stands) != cutover.glass.blockers_hash:
            told = "What blocks, or what would be applied where, is not what the glass was broken for."
            raise _stays("blockers_differ", told, "Give it up, and ask to break the glass for what blocks now.")
    return stands.known.parts["targets"]


def runs_somewhere(release: Release) -> bool:
    return EnvironmentRelease.objects.filter(release=release, until=None).exists()


def fresh(cutover: Cutover) -> Cutover:
    return Cutover.objects.select_related("release__service", "requested_by", "glass").get(pk=cutover.pk)


def moved(cutover: Cutover, to: CutoverStatus, **fields: object) -> bool:
    """The one writer of a cutover's status. False: it stands elsewhere by now."""
    if (cutover.status, to) not in CUTOVER_EDGES:
        return False
    row = Cutover.objects.filter(pk=cutover.pk, status=cutover.status)
    return row.update(status=to, version=F("version") + 1, **fields) == 1


def _to(cutover: Cutover, to: CutoverStatus, **fields: object) -> None:
    if not moved(cutover, to, **fields):
        raise _stands_elsewhere(cutover)


def _stands_elsewhere(cutover: Cutover) -> Refused:
    word = CutoverStatus(cutover.status).label
    return _stays(f"cutover_is_{cutover.status}", f"The cutover is {word}.", "Look at it again.")


def _locked(release: Release, names: Sequence[str] | None) -> list[Environment]:
    """The chain and the targets stay as they are judged: both are changed under these locks alone."""
    Service.objects.select_for_update().get(pk=release.service_id)
    found = environments_of(release.service, names)
    list(Environment.objects.select_for_update(of=("self",)).filter(service_id=release.service_id).order_by("pk"))
    return found


def _sound(window: Window | None) -> Window | None:
    """Raises Refused("bad_window")."""
    if window is None:
        return None
    try:
        begins, ends = (in_utc(moment) if moment else None for moment in (window.begins, window.ends))
    except ValueError as wrong:
        told = f"The planned window cannot be held: {wrong}."
        raise refused("bad_window", told, "Correct it.") from None
    if begins and ends and ends <= begins:
        raise refused("bad_window", "The planned window ends before it begins.", "Exchange the two.")
    return Window(begins, ends)


def _held(cutover: Cutover) -> Cutover:
    rows = Cutover.objects.select_for_update(of=("self",)).select_related("release__service", "requested_by", "glass")
    return rows.get(pk=cutover.pk)


def _as_a_whole(release: Release, window: Window | None) -> tuple[Condition, ...]:
    return in_the_way(release, head_of(release), window or Window(), database_now())


def _refuse_unmet(release: Release, found: Sequence[Environment], unmet: tuple[Condition, ...]) -> None:
    """The gates' and the cutover's own conditions, and those of the first environment: later ones may yet be met."""
    head = head_of(release)
    if head:
        plans = (preview_up(one, head) for one in found)
        first = next((plan for plan in plans if plan is not None), None)
        unmet += first.conditions if first else live_already(release, found)
        unmet += tuple(condition for one in found for condition in past_its_window(release, one, head))
    if unmet:
        raise NotAdmitted(unmet, NOT_DONE)


def _create(
    release: Release,
    environments: Sequence[Environment],
    verdict: Verdict,
    *,
    by: User,
    reason: str = "",
    window: Window | None = None,
    glass: BreakGlass | None = None,
) -> Cutover:
    window = window or Window()
    if not move(release, to=ReleaseStatus.CUTTING_OVER, only_from=_BEFORE_CUTOVER):
        raise refused("release_is_cutting_over", f"{release.release_id} is being cut over.", "Look at its cutover.")
    cutover = Cutover.objects.create(
        service_id=release.service_id,
        release=release,
        glass=glass,
        requested_by=by,
        reason=reason.strip()[:500],
        planned_from=window.begins,
        planned_until=window.ends,
        revisions_hash=revisions_hash(release),
        targets_hash=targets_hash(release),
    )
    CutoverGate.objects.bulk_create(_proofs(cutover, verdict))
    CutoverStep.objects.bulk_create(
        CutoverStep(
            cutover=cutover,
            ordinal=place,
            environment=environment,
            from_revision=environment.head_revision,
            to_revision=head_of(release),
        )
        for place, environment in enumerate(environments, start=1)
    )
    _ask_the_trigger()
    cutover.refresh_from_db()
    hashes = {"revisions_hash": cutover.revisions_hash, "targets_hash": cutover.targets_hash}
    beside = {"verdict": verdict.sentence, "reason": cutover.reason, **hashes}
    record_change(release, "cutover.start", by, {**told(cutover), **beside})
    return fresh(cutover)


def _proofs(cutover: Cutover, verdict: Verdict) -> list[CutoverGate]:
    return [
        CutoverGate(
            cutover=cutover,
            gate_key=gate.gate.key,
            state=gate.state,
            evidence_hash=gate.evidence_hash,
            signers=[one.by for one in gate.signed],
        )
        for gate in verdict.gates
    ]


def _ask_the_trigger() -> None:
    """Now rather than at the commit, so that its refusal has a name here."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS cutover_guard IMMEDIATE")
            cursor.execute("SET CONSTRAINTS cutover_guard DEFERRED")
    except IntegrityError as error:
        told = str(error).partition("\n")[0]
        raise refused("gates_block", f"The database refused it: {told}.", "Look at the gates again.") from error


def _way_back_of(step: CutoverStep) -> tuple[Condition, ...]:
    """Everything in the way of rolling one environment back to where it stood; nothing where it stands there."""
    if not stands_above(step):
        return ()
    back = preview(environment=step.environment, direction="down", to=step.from_revision or ROOT)
    return (*back.conditions, *above_the_plan(step))


def _refuse_at_work(cutover: Cutover) -> None:
    """A run of it is open, or has ended and was not looked at yet."""
    at_work = cutover.steps.filter(status=CutoverStepStatus.RUNNING).first()
    back = cutover.steps.filter(back_run__status__in=sorted(OPEN)).first()
    run = (at_work and at_work.run_id) or (back and back.back_run_id)
    if run:
        raise _stays("cutover_at_work", f"Run {run} of it is at work.", f"Stop run {run} first, or wait for its end.")


def _refuse_older(cutover: Cutover) -> None:
    """Only the newest is taken back: a later release stands on what this one applied."""
    later = EnvironmentRelease.objects.filter(
        environment__in=cutover.steps.values("environment"), until=None, cutover_id__gt=cutover.pk
    ).select_related("release", "environment")
    if (found := later.first()) is not None:
        told = f"{found.environment.name} runs {found.release.release_id} since."
        raise _stays("cutover_not_newest", told, "Take that one back first.")


def _stays(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done="The cutover was left as it is.", next_step=next_step)
