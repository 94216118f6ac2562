"""Schemas: how one environment's stands, what a person decides about drift, and a service's side by side."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router
from pydantic import AwareDatetime, Field

from dashboard import access
from dashboard.api.cursor import After, Limit, read, write
from dashboard.api.shapes import Asking, Moment, Telling, answers
from migrations_app.engine.errors import Refused
from migrations_app.fleet import drift as verbs
from migrations_app.fleet.parity import Depth, Differing, compare_groups, read_parity
from migrations_app.fleet.schema_view import Doer, Told, View, view_of
from migrations_app.fleet.watching import unwatch, watch
from migrations_app.permissions import may

router = Router(tags=["schema"])
MOST = 500  # differences in one answer

Why = Annotated[str, Field(min_length=verbs.SHORTEST_REASON, max_length=500)]


class Ignoring(Asking):
    # A text in JSON, so not strictly a time.
    until: Annotated[AwareDatetime, Field(strict=False, description="With its offset; 30 days ahead at most.")]
    reason: Why


class Accepting(Asking):
    found: Annotated[str, Field(max_length=80, description="The fingerprint that was looked at.")]
    reason: Why


class Policy(Asking):
    blocks: Annotated[bool | None, Field(description="Null is as the stage says: production blocks.")]


class Watching(Asking):
    on: bool


class DifferenceOut(Telling):
    """`before` and `after` are null for those who may not read SQL."""

    kind: str
    name: str
    sign: str
    sentence: str
    before: str | None
    after: str | None


class DoerOut(Telling):
    at: Moment
    login: str
    role: str
    application: str
    address: str
    tag: str
    object: str
    statement: str | None


class DriftOut(Telling):
    state: str
    summary: str
    found_at: Moment
    last_seen_at: Moment
    last_clean_at: Moment | None
    expected: str
    found: str
    ignore_until: Moment | None
    reason: str
    decided_by: str | None
    differences_total: int | None
    differences: list[DifferenceOut]
    changed_by: list[DoerOut]


class SchemaOut(Telling):
    """`standing` is one word; unknown ones are stale, unreadable and never."""

    service: str
    environment: str
    standing: str
    sentence: str
    more: str
    fingerprint: str | None
    head_revision: str | None
    read_at: Moment | None
    clean_at: Moment | None
    failure: str
    expected: str | None
    expected_by: str
    blocks: bool | None
    watched: bool
    drift: DriftOut | None


class DraftOut(Telling):
    way: str
    up: str
    down: str
    todos: int


class GroupOut(Telling):
    postgresql: int
    hash: str
    environments: list[str]


class UnknownOut(Telling):
    environment: str
    why: str
    read_at: Moment | None


class VariantOut(Telling):
    """`sha256` of the definition is null where the object is missing."""

    sha256: str | None
    position: int
    environments: list[str]


class ObjectOut(Telling):
    kind: str
    name: str
    variants: list[VariantOut]


class ParityOut(Telling):
    """Groups over all servers; `objects` of the one version that was asked for, else the one most stand on."""

    depth: str
    groups: list[GroupOut]
    unknown: list[UnknownOut]
    postgresql: int | None
    same: int
    differing: int
    objects: list[ObjectOut]
    next: str | None


@router.get("/{service}/environments/{environment}/schema", response=answers(SchemaOut), operation_id="get_schema")
def get_schema(request: HttpRequest, service: str, environment: str) -> SchemaOut:
    """As it was last read; the target itself is not asked."""
    return _told(request, access.environment_for(request.user, service, environment))


@router.post(
    "/{service}/environments/{environment}/schema/read",
    response=answers(SchemaOut, also=409),
    operation_id="read_schema",
)
def read_schema(request: HttpRequest, service: str, environment: str) -> SchemaOut:
    """Read the target now. 409 run_in_progress while a run is open."""
    found = access.environment_for(request.user, service, environment, "read_schema")
    verbs.look_now(environment=found, by=access.require(request.user, "read_schema"))
    return _told(request, found)


@router.post(
    "/{service}/environments/{environment}/schema/watch",
    response=answers(SchemaOut, also=409),
    operation_id="watch_schema",
)
def watch_schema(request: HttpRequest, service: str, environment: str, body: Watching) -> SchemaOut:
    """Install or remove the event triggers that tell who changes the schema."""
    found = access.environment_for(request.user, service, environment, "edit_fleet")
    (watch if body.on else unwatch)(environment=found, by=access.require(request.user, "edit_fleet"))
    return _told(request, found)


@router.post(
    "/{service}/environments/{environment}/drift/ignore",
    response=answers(SchemaOut, also=409),
    operation_id="ignore_drift",
)
def ignore_drift(request: HttpRequest, service: str, environment: str, body: Ignoring) -> SchemaOut:
    found = access.environment_for(request.user, service, environment, "decide_drift")
    by = access.require(request.user, "decide_drift")
    verbs.ignore_drift(environment=found, until=body.until, reason=body.reason, by=by)
    return _told(request, found)


@router.post(
    "/{service}/environments/{environment}/drift/accept",
    response=answers(SchemaOut, also=409),
    operation_id="accept_drift",
)
def accept_drift(request: HttpRequest, service: str, environment: str, body: Accepting) -> SchemaOut:
    """What was found is what is expected until the next receipt. 409 when something else is found by now."""
    found = access.environment_for(request.user, service, environment, "decide_drift")
    by = access.require(request.user, "decide_drift")
    verbs.accept_drift(environment=found, found=body.found, reason=body.reason, by=by)
    return _told(request, found)


@router.put(
    "/{service}/environments/{environment}/drift/policy",
    response=answers(SchemaOut),
    operation_id="set_drift_policy",
)
def set_policy(request: HttpRequest, service: str, environment: str, body: Policy) -> SchemaOut:
    """Whether drift stops runs."""
    found = access.environment_for(request.user, service, environment, "decide_drift")
    verbs.set_policy(environment=found, blocks=body.blocks, by=access.require(request.user, "decide_drift"))
    return _told(request, found)


@router.get(
    "/{service}/environments/{environment}/drift/draft",
    response=answers(DraftOut, also=409),
    operation_id="draft_drift",
)
def draft(request: HttpRequest, service: str, environment: str, way: Literal["adopt", "revert"] = "adopt") -> DraftOut:
    """SQL for a person to finish: `adopt` makes what was found, `revert` takes it back."""
    found = access.environment_for(request.user, service, environment, "view_sql")
    drift = verbs.standing(found)
    drafted = verbs.draft_adoption(drift) if way == "adopt" else verbs.draft_revert(drift)
    return DraftOut(way=way, up=drafted.up, down=drafted.down, todos=drafted.todos)


@router.get("/{service}/schema", response=answers(ParityOut), operation_id="get_parity")
def get_parity(
    request: HttpRequest,
    service: str,
    depth: Literal["objects", "privileges", "exact"] = "objects",
    postgresql: Annotated[int | None, Query(ge=1, lt=1000, description="A major version.")] = None,
    after: After = "",
    limit: Limit = 50,
) -> ParityOut:
    """Who has the same schema, and which objects differ; a page of them at a time."""
    owner = access.service_for(request.user, service)
    of = f"schema objects of {owner.pk}"
    first = int(read(of, after)[0]) if after else 0
    deep = Depth.SHAPE if depth == "objects" else Depth(depth)
    parity = read_parity(owner, deep, timezone.now())
    major = parity.major(postgresql)
    if major is None and postgresql is not None:
        raise _no_such_server(postgresql)
    compared = compare_groups(major, deep) if major else None
    objects = compared.objects if compared else ()
    return ParityOut(
        depth=depth,
        groups=[
            GroupOut(postgresql=each.number, hash=group.hash, environments=list(group.names))
            for each in parity.majors
            for group in each.groups
        ],
        unknown=[UnknownOut(environment=p.name, why=p.doubt, read_at=p.read_at) for p in parity.unknown],
        postgresql=major.number if major else None,
        same=compared.same if compared else 0,
        differing=len(objects),
        objects=[_object(one) for one in objects[first : first + limit]],
        next=write(of, first + limit) if first + limit < len(objects) else None,
    )


def _object(one: Differing) -> ObjectOut:
    variants = [
        VariantOut(sha256=variant.sha256 or None, position=variant.position, environments=list(variant.names))
        for variant in one.variants
    ]
    return ObjectOut(kind=one.kind, name=one.name, variants=variants)


def _told(request: HttpRequest, environment: access.Environment) -> SchemaOut:
    view = view_of(environment, timezone.now())
    state, word = view.brief.state, view.brief.word
    reading = state.reading if state else None
    return SchemaOut(
        service=environment.service.name,
        environment=environment.name,
        standing=word.standing.value,
        sentence=word.sentence,
        more=word.more,
        fingerprint=reading.content_id if reading else None,
        head_revision=reading.head_revision if reading else None,
        read_at=state.read_at if state else None,
        clean_at=state.clean_at if state else None,
        failure=state.failure if state else "",
        expected=(state.expected or None) if state else None,
        expected_by=state.expected_by if state else "",
        blocks=state.drift_blocks if state else None,
        watched=bool(state and state.watched),
        drift=_drift(view, sql=may(request.user, "view_sql")),
    )


def _drift(view: View, *, sql: bool) -> DriftOut | None:
    drift = view.brief.drift
    if drift is None:
        return None
    return DriftOut(
        state=drift.state,
        summary=drift.summary,
        found_at=drift.found_at,
        last_seen_at=drift.last_seen_at,
        last_clean_at=drift.last_clean_at,
        expected=drift.expected,
        found=drift.found_id,
        ignore_until=drift.ignore_until,
        reason=drift.reason,
        decided_by=drift.decided_by.get_username() if drift.decided_by else None,
        differences_total=drift.differences,
        differences=[_difference(one, sql) for one in view.differences[:MOST]],
        changed_by=[_doer(one, sql) for one in view.doers],
    )


def _difference(one: Told, sql: bool) -> DifferenceOut:
    found = one.difference
    return DifferenceOut(
        kind=found.kind,
        name=found.name,
        sign=found.sign,
        sentence=one.sentence,
        before=found.before if sql else None,
        after=found.after if sql else None,
    )


def _doer(one: Doer, sql: bool) -> DoerOut:
    at: datetime = one.at
    return DoerOut(
        at=at,
        login=one.login,
        role=one.role,
        application=one.application,
        address=one.address,
        tag=one.tag,
        object=one.object,
        statement=one.statement if sql else None,
    )


def _no_such_server(number: int) -> Refused:
    return Refused(
        "no_such_server",
        f"No environment of this service is known to stand on PostgreSQL {number}.",
        not_done="Nothing was compared.",
        next_step="Leave the version out; the answer names those that there are.",
    )
