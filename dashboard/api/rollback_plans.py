"""What rolling back would do: from an environment, from a run, from a release. A run of its own carries it out."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Header, Query, Router
from ninja.responses import Status

from dashboard import access
from dashboard.api.run_actions import NO_REASON, OptionalWhy
from dashboard.api.run_shapes import ConditionOut, RunOut, told
from dashboard.api.runs import checked
from dashboard.api.shapes import Moment, Telling, answers
from migrations_app.admission.rollback import RollbackPlan, roll_back_run, rollback_plan
from migrations_app.permissions import may
from migrations_app.rehearsals.way_back import NoReturn
from migrations_app.releases.going_back import Back, going_back, previous_release, schemas_of
from migrations_app.runs.undo import CannotUndo, undo_of

router = Router(tags=["rolling back"])

HIDDEN = "a statement that drops or deletes"
KEPT_BY_ALL = "no down file"


class LossOut(Telling):
    revision_id: str
    what: str


class NoReturnOut(Telling):
    """`ahead` counts pending revisions up to and with `revision_id`; `ms` is what applying these took on a clone."""

    sentence: str
    revision_id: str
    ahead: int
    ms: int | None


class RollbackPlanOut(Telling):
    """`rehearsed_ms`, `start_by` and `counts_until` are null unless each revision has a fresh rehearsal.

    A roll-back that is started by `start_by` ends, at its rehearsed pace, while its rehearsals still count. `plan` is
    the fingerprint that a request for a second person may name, so that no other plan is asked for.
    """

    service: str
    environment: str
    to: str | None
    plan: str
    revisions: list[str]
    conditions: list[ConditionOut]
    losses: list[LossOut]
    rehearsed_ms: int | None
    start_by: Moment | None
    counts_until: Moment | None
    point_of_no_return: NoReturnOut | None


class WhyNotOut(Telling):
    """`later` revisions stand on what the run applied; a roll-back to `to` would take them along."""

    code: str
    message: str
    next_step: str
    to: str | None
    later: list[str]


class RunRollbackOut(Telling):
    """Either the plan, or why there is none. `gone` is what the run applied and somebody has rolled back since."""

    run: int
    plan: RollbackPlanOut | None
    gone: list[str]
    why_not: WhyNotOut | None


class BackOut(Telling):
    """`to` is the revision to roll back to, and empty where nothing has to be; `fit` as in the contracts."""

    environment: str
    stage: str
    region: str
    head: str
    schema_rev: str
    fit: str
    sentence: str
    to: str
    revisions: int


class ReleaseRollbackOut(Telling):
    """`to` is the release that was registered before; null for the first, and then `environments` is empty."""

    release_id: str
    to: str | None
    environments: list[BackOut]


@router.get(
    "/services/{service}/environments/{environment}/rollback",
    response=answers(RollbackPlanOut),
    operation_id="plan_rollback",
)
def plan_rollback(
    request: HttpRequest,
    service: str,
    environment: str,
    to: Annotated[str, Query(max_length=200, description="The head afterwards; left out, one step back.")] = "",
) -> RollbackPlanOut:
    """Nothing is created; `POST /runs` with the same `to` starts it."""
    found = access.environment_for(request.user, service, environment)
    return _plan(rollback_plan(found, to), request.user)


@router.get("/runs/{int:run_id}/rollback", response=answers(RunRollbackOut), operation_id="plan_run_rollback")
def plan_run_rollback(request: HttpRequest, run_id: int) -> RunRollbackOut:
    """Exactly what the run applied, in reverse; or why not: later revisions stand on it, or nothing is left of it."""
    run = access.run_for(request.user, run_id)
    try:
        undo = undo_of(run)
    except CannotUndo as refusal:
        return RunRollbackOut(run=run.pk, plan=None, gone=[], why_not=_why_not(refusal))
    plan = _plan(rollback_plan(run.environment, undo.to), request.user)
    return RunRollbackOut(run=run.pk, plan=plan, gone=list(undo.gone), why_not=None)


@router.post("/runs/{int:run_id}/rollback", response=answers(RunOut, 200, 201, also=409), operation_id="roll_back_run")
def roll_back(
    request: HttpRequest,
    run_id: int,
    body: OptionalWhy = NO_REASON,
    idempotency_key: Annotated[
        str | None, Header(alias="Idempotency-Key", description="The same key for the same run is the same roll-back.")
    ] = None,
) -> Status[RunOut]:
    """Start it: a run of its own, with the conditions of any other."""
    run = access.run_for(request.user, run_id, "create_run")
    by = access.require(request.user, "create_run")
    started = roll_back_run(run, by=by, reason=body.reason, idempotency_key=checked(idempotency_key))
    return Status(201 if started.created else 200, told(started.run))


@router.get(
    "/releases/{int:release_number}/rollback",
    response=answers(ReleaseRollbackOut),
    operation_id="plan_release_rollback",
)
def plan_release_rollback(request: HttpRequest, release_number: int) -> ReleaseRollbackOut:
    """What going back to the release before means in each environment, the last stage first."""
    release = access.release_for(request.user, release_number)
    earlier = previous_release(release)
    backs = going_back(earlier, schemas_of(release.service)) if earlier else ()
    return ReleaseRollbackOut(
        release_id=release.release_id,
        to=earlier.release_id if earlier else None,
        environments=[_back(back) for back in backs],
    )


def _why_not(refusal: CannotUndo) -> WhyNotOut:
    return WhyNotOut(
        code=refusal.code,
        message=refusal.message,
        next_step=refusal.next_step,
        to=refusal.to or None,
        later=list(refusal.later),
    )


def _plan(found: RollbackPlan, user: access.Person) -> RollbackPlanOut:
    plan = found.plan
    return RollbackPlanOut(
        service=found.environment.service.name,
        environment=found.environment.name,
        to=found.to or None,
        plan=plan.blast.fingerprint,
        revisions=[one.revision_id for one in plan.rehearsals],
        conditions=[ConditionOut(code=one.code, sentence=one.sentence, clears=one.clears) for one in plan.conditions],
        losses=[
            LossOut(revision_id=loss.revision_id, what=_what(loss.what, may(user, "view_sql")))
            for loss in plan.blast.losses
        ],
        rehearsed_ms=found.back.ms,
        start_by=found.back.start_by,
        counts_until=found.back.until,
        point_of_no_return=_no_return(found.no_return),
    )


def _what(what: str, may_sql: bool) -> str:
    """A statement is SQL, and that is not for every role."""
    return what if may_sql or KEPT_BY_ALL in what else HIDDEN


def _no_return(found: NoReturn | None) -> NoReturnOut | None:
    if found is None:
        return None
    return NoReturnOut(sentence=found.sentence, revision_id=found.revision_id, ahead=found.ahead, ms=found.ms)


def _back(back: Back) -> BackOut:
    return BackOut(
        environment=back.place.name,
        stage=back.place.stage,
        region=back.place.region,
        head=back.place.head,
        schema_rev=back.place.schema_rev,
        fit=back.cell.fit.value,
        sentence=back.cell.sentence,
        to=back.to,
        revisions=back.revisions,
    )
