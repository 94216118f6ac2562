"""A release's cutover: its plan, the start, how far it is, and what a person may do about it."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Body, Query, Router
from ninja.responses import Status
from pydantic import Field

from dashboard import access, access_cutovers
from dashboard.api.cursor import After, Limit, page
from dashboard.api.identity import BY_TOKEN
from dashboard.api.shapes import Asking, Moment, Name, Reason, Telling, When, answers
from migrations_app.rollouts import planning
from migrations_app.rollouts.cutting_over import cut_over, give_up, go_on, take_back
from migrations_app.statuses import CUTOVER_SENTENCES

router = Router(tags=["cutovers"])


class ConditionOut(Telling):
    code: str
    sentence: str
    clears: str


class StopOut(Telling):
    """`revisions` is how many it has to get; `runs` the release that it runs now, as far as is known."""

    environment: str
    stage: str
    head: str
    runs: str
    revisions: int
    conditions: list[ConditionOut]


class PlanOut(Telling):
    """`head` is the revision where each environment ends. `remark`: only signatures of who asks keep the gates back."""

    ready: bool
    verdict: str
    remark: str
    head: str
    conditions: list[ConditionOut]
    stops: list[StopOut]


class NewCutover(Asking):
    """`environments` in any order, left out: all of the service. Outside of its window it is refused."""

    environments: Annotated[list[Name], Field(max_length=1000)] | None = None
    planned_from: When | None = None
    planned_until: When | None = None
    reason: Reason = ""


class Remark(Asking):
    reason: Reason = ""


class StepOut(Telling):
    environment: str
    status: str
    from_revision: str
    to_revision: str
    run: int | None
    back_run: int | None
    sentence: str
    started_at: Moment | None
    ended_at: Moment | None


class GateProofOut(Telling):
    """How a gate stood in the transaction that created the cutover."""

    gate: str
    state: str
    evidence_hash: str
    signers: list[str]


class CutoverOut(Telling):
    """`glass` is the request by which two people let it pass gates that block. `back_reason`: why it is taken back."""

    id: int
    service: str
    release: int
    release_id: str
    status: str
    meaning: str
    sentence: str
    glass: int | None
    requested_by: str
    reason: str
    back_reason: str
    planned_from: Moment | None
    planned_until: Moment | None
    started_at: Moment
    ended_at: Moment | None


class CutoverInFullOut(CutoverOut):
    steps: list[StepOut]
    gates: list[GateProofOut]


class CutoversOut(Telling):
    cutovers: list[CutoverOut]
    next: str | None


NO_REMARK = Remark()
OptionalRemark = Annotated[Remark, Body()]


@router.get("/releases/{int:release_number}/cutover-plan", response=answers(PlanOut), operation_id="plan_cutover")
def plan(
    request: HttpRequest,
    release_number: int,
    environment: Annotated[list[str] | None, Query(description="Of these only; more than once for several.")] = None,
) -> PlanOut:
    """What a cutover that you start would do now, and everything that is in its way; nothing is started."""
    by = access.require(request.user, "view")
    found = planning.cutover_plan(access.release_for(request.user, release_number), environment, by=by)
    return PlanOut(
        ready=found.ready,
        verdict=found.verdict.sentence,
        remark=found.remark,
        head=found.head,
        conditions=[ConditionOut(**vars(one)) for one in found.conditions],
        stops=[_told_stop(stop) for stop in found.stops],
    )


def _told_stop(stop: planning.Stop) -> StopOut:
    return StopOut(
        environment=stop.environment.name,
        stage=stop.environment.stage,
        head=stop.environment.head_revision,
        runs=stop.runs,
        revisions=len(stop.preview.revisions) if stop.preview else 0,
        conditions=[ConditionOut(**vars(one)) for one in stop.conditions],
    )


@router.post(
    "/releases/{int:release_number}/cutovers",
    response=answers(CutoverInFullOut, 201, also=409),
    operation_id="start_cutover",
    auth=BY_TOKEN,
)
def start(request: HttpRequest, release_number: int, body: NewCutover) -> Status[CutoverInFullOut]:
    """409 with every gate that blocks and whatever else is in the way; workers carry on what was started."""
    release = access.release_for(request.user, release_number, "cut_over")
    started = cut_over(
        release=release,
        environments=body.environments,
        window=planning.Window(body.planned_from, body.planned_until),
        reason=body.reason,
        by=access.require(request.user, "cut_over"),
    )
    return Status(201, _in_full(request, started.pk))


@router.get("/cutovers", response=answers(CutoversOut), operation_id="list_cutovers")
def list_cutovers(
    request: HttpRequest,
    service: Annotated[str, Query(max_length=63, description="Of this service only.")] = "",
    after: After = "",
    limit: Limit = 50,
) -> CutoversOut:
    """Newest first, a page at a time."""
    rows = access_cutovers.cutovers_for(request.user)
    of = "cutovers"
    if service:
        owner = access.service_for(request.user, service)
        rows, of = rows.filter(service=owner), f"cutovers of {owner.pk}"
    found, more = page(rows, of, after, limit)
    return CutoversOut(cutovers=[_told(one) for one in found], next=more)


@router.get("/cutovers/{int:cutover_number}", response=answers(CutoverInFullOut), operation_id="get_cutover")
def get_cutover(request: HttpRequest, cutover_number: int) -> CutoverInFullOut:
    return _in_full(request, cutover_number)


@router.post(
    "/cutovers/{int:cutover_number}/go-on",
    response=answers(CutoverInFullOut, also=409),
    operation_id="resume_cutover",
    auth=BY_TOKEN,
)
def resume(request: HttpRequest, cutover_number: int, body: OptionalRemark = NO_REMARK) -> CutoverInFullOut:
    """After a halt: gates are judged anew, and the environment that failed is tried again."""
    needs = planning.needed_to_carry(access_cutovers.cutover_for(request.user, cutover_number))
    found = access_cutovers.cutover_for(request.user, cutover_number, needs)
    go_on(found, reason=body.reason, by=access.require(request.user, needs))
    return _in_full(request, cutover_number)


@router.post(
    "/cutovers/{int:cutover_number}/give-up",
    response=answers(CutoverInFullOut, also=409),
    operation_id="give_up_cutover",
    auth=BY_TOKEN,
)
def abandon(request: HttpRequest, cutover_number: int, body: Remark) -> CutoverInFullOut:
    """Start nothing further; what is applied stands."""
    found = access_cutovers.cutover_for(request.user, cutover_number, "cut_over")
    give_up(found, reason=body.reason, by=access.require(request.user, "cut_over"))
    return _in_full(request, cutover_number)


@router.post(
    "/cutovers/{int:cutover_number}/take-back",
    response=answers(CutoverInFullOut, also=409),
    operation_id="take_cutover_back",
    auth=BY_TOKEN,
)
def back(request: HttpRequest, cutover_number: int, body: Remark) -> CutoverInFullOut:
    """Roll back what its runs applied, the last environment first; 409 with everything that is in the way."""
    found = access_cutovers.cutover_for(request.user, cutover_number, "take_release_back")
    take_back(found, reason=body.reason, by=access.require(request.user, "take_release_back"))
    return _in_full(request, cutover_number)


def _told(cutover: access_cutovers.Cutover) -> CutoverOut:
    return CutoverOut(
        id=cutover.pk,
        service=cutover.release.service.name,
        release=cutover.release_id,
        release_id=cutover.release.release_id,
        status=cutover.status,
        meaning=CUTOVER_SENTENCES[cutover.status],
        sentence=cutover.sentence,
        glass=cutover.glass_id,
        requested_by=cutover.requested_by.get_username(),
        reason=cutover.reason,
        back_reason=cutover.back_reason,
        planned_from=cutover.planned_from,
        planned_until=cutover.planned_until,
        started_at=cutover.started_at,
        ended_at=cutover.ended_at,
    )


def _in_full(request: HttpRequest, number: int) -> CutoverInFullOut:
    cutover = access_cutovers.cutover_for(request.user, number)
    steps = access_cutovers.steps_of_cutover_for(request.user, cutover)
    return CutoverInFullOut(
        **dict(_told(cutover)),
        steps=[
            StepOut(
                environment=step.environment.name,
                status=step.status,
                from_revision=step.from_revision,
                to_revision=step.to_revision,
                run=step.run_id,
                back_run=step.back_run_id,
                sentence=step.sentence,
                started_at=step.started_at,
                ended_at=step.ended_at,
            )
            for step in steps
        ],
        gates=[
            GateProofOut(gate=one.gate_key, state=one.state, evidence_hash=one.evidence_hash, signers=one.signers)
            for one in cutover.gates.order_by("id")
        ],
    )
