"""How one environment's schema stands, and what a person decides about drift."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from dashboard import access
from dashboard.api.revisions import Sql
from dashboard.api.schema_shapes import SchemaOut, told_schema
from dashboard.api.shapes import Asking, RevisionId, Telling, When, answers
from migrations_app.fleet import drift as verbs
from migrations_app.fleet.drift_plan import Finished, offer, plan_drift
from migrations_app.fleet.watching import unwatch, watch
from migrations_app.reasons import SHORTEST_REASON

router = Router(tags=["schema"])
PLACE = "/{service}/environments/{environment}"
CHANGED = answers(SchemaOut, also=409)

Why = Annotated[str, Field(min_length=SHORTEST_REASON, max_length=500)]
Looked = Annotated[str, Field(max_length=80, description="The fingerprint that was looked at.")]
Way = Literal["adopt", "revert"]


class Ignoring(Asking):
    until: Annotated[When, Field(description="With its offset; 30 days ahead at most.")]
    reason: Why


class Accepting(Asking):
    found: Looked
    reason: Why


class Planning(Asking):
    """The finished revision that adopts the drift or takes it back."""

    way: Way
    found: Looked
    planned: Annotated[str, Field(max_length=80, description="The bytes uploaded for it before, as it was told.")] = ""
    revision_id: RevisionId
    up: Sql
    down: Sql | None = None


class Policy(Asking):
    blocks: Annotated[bool | None, Field(description="Null is as the stage says: production blocks.")]


class Watching(Asking):
    on: bool


class DraftOut(Telling):
    """`revision_id`, `found` and `planned` are what planning it takes."""

    way: str
    revision_id: str
    up: str
    down: str
    todos: int
    found: str
    planned: str


@router.get(f"{PLACE}/schema", response=answers(SchemaOut), operation_id="get_schema")
def get_schema(request: HttpRequest, service: str, environment: str) -> SchemaOut:
    """As it was last read; the target itself is not asked."""
    return told_schema(request, access.environment_for(request.user, service, environment))


@router.post(f"{PLACE}/schema/read", response=CHANGED, operation_id="read_schema")
def read_schema(request: HttpRequest, service: str, environment: str) -> SchemaOut:
    """Read the target now. 409 run_in_progress while a run is open."""
    return _decided(
        request, (service, environment), "read_schema", lambda found, by: verbs.look_now(environment=found, by=by)
    )


@router.post(f"{PLACE}/schema/watch", response=CHANGED, operation_id="watch_schema")
def watch_schema(request: HttpRequest, service: str, environment: str, body: Watching) -> SchemaOut:
    """Install or remove the event triggers that tell who changes the schema."""
    verb = watch if body.on else unwatch
    return _decided(request, (service, environment), "edit_fleet", lambda found, by: verb(environment=found, by=by))


@router.post(f"{PLACE}/drift/ignore", response=CHANGED, operation_id="ignore_drift")
def ignore_drift(request: HttpRequest, service: str, environment: str, body: Ignoring) -> SchemaOut:
    return _decided(
        request,
        (service, environment),
        "decide_drift",
        lambda found, by: verbs.ignore_drift(environment=found, until=body.until, reason=body.reason, by=by),
    )


@router.post(f"{PLACE}/drift/accept", response=CHANGED, operation_id="accept_drift")
def accept_drift(request: HttpRequest, service: str, environment: str, body: Accepting) -> SchemaOut:
    """What was found is what is expected until the next receipt. 409 when something else is found by now."""
    return _decided(
        request,
        (service, environment),
        "decide_drift",
        lambda found, by: verbs.accept_drift(environment=found, found=body.found, reason=body.reason, by=by),
    )


@router.post(f"{PLACE}/drift/plan", response=CHANGED, operation_id="plan_drift")
def plan(request: HttpRequest, service: str, environment: str, body: Planning) -> SchemaOut:
    """Store a revision that ends the drift. 409 when something else is found or was planned by now."""
    access.require(request.user, "upload_revision")
    finished = Finished(**body.model_dump())
    return _decided(
        request,
        (service, environment),
        "decide_drift",
        lambda found, by: plan_drift(environment=found, finished=finished, by=by),
    )


@router.put(f"{PLACE}/drift/policy", response=answers(SchemaOut), operation_id="set_drift_policy")
def set_policy(request: HttpRequest, service: str, environment: str, body: Policy) -> SchemaOut:
    """Whether drift stops runs."""
    return _decided(
        request,
        (service, environment),
        "decide_drift",
        lambda found, by: verbs.set_policy(environment=found, blocks=body.blocks, by=by),
    )


@router.get(f"{PLACE}/drift/draft", response=answers(DraftOut, also=409), operation_id="draft_drift")
def draft(request: HttpRequest, service: str, environment: str, way: Way = "adopt") -> DraftOut:
    """SQL for a person to finish: `adopt` makes what was found, `revert` takes it back. Or what was uploaded so far."""
    offered = offer(access.environment_for(request.user, service, environment, "view_sql"), way)
    return DraftOut(
        way=way,
        revision_id=offered.revision_id,
        up=offered.up,
        down=offered.down,
        todos=offered.todos,
        found=offered.found,
        planned=offered.planned,
    )


def _decided(
    request: HttpRequest, place: tuple[str, str], needs: str, act: Callable[[access.Environment, access.User], object]
) -> SchemaOut:
    """The frame of a verb: who may, the verb, and how the schema stands after it."""
    found = access.environment_for(request.user, *place, needs)
    act(found, access.require(request.user, needs))
    return told_schema(request, found)
