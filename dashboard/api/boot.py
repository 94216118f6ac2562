"""What starts where: the boot gate, what nodes report, and how starts went."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.responses import Status
from pydantic import Field

from dashboard import access
from dashboard.api.envelope import ErrorOut
from dashboard.api.identity import BearerToken
from dashboard.api.shapes import REFUSALS, Asking, Moment, Name, Telling, answers
from dashboard.boot.gate import boot_gate
from migrations_app.releases.boot.attempts import LISTED, Attempt, list_attempts, record_attempt, tally
from migrations_app.releases.boot.known import Asked
from migrations_app.releases.boot.nodes import NodeRow, list_nodes, report_node, retire_node, row_of

router = Router(tags=["boot gate"])

Short = Annotated[str, Field(max_length=200)]
Word = Annotated[str, Query(min_length=1, max_length=63)]
Version = Annotated[str, Query(max_length=200)]


class AllowedOut(Telling):
    allow: Literal[True]


class ReasonOut(Telling):
    """One thing that does not hold, and what would change that."""

    code: str
    phase: str
    sentence: str
    clears: str


class NotAllowedOut(Telling):
    """`retry` in seconds. `waiting_for`: a run after which it could start; `progress` is another text when that has
    moved. `hopeless`: nothing that is planned will let it start."""

    allow: Literal[False]
    reasons: list[ReasonOut]
    retry: int
    waiting_for: int | None
    progress: str
    hopeless: bool
    phase: str
    phase_seconds: Annotated[int, Field(description="How long the phase may take; 0: as long as its run.")]


class NodeIn(Asking):
    service: Name
    environment: Name
    node: Annotated[str, Field(min_length=1, max_length=200)]
    release_id: Short = ""
    schema_rev: Short = ""
    index_hash: Short = ""
    secrets_rev: Short = ""
    probes_ok: bool | None = None


class NodeOut(Telling):
    """`state`: `fresh`, `stale` after 60 s, `gone` after 10 min, or `retired`."""

    node: str
    release_id: str
    schema_rev: str
    index_hash: str
    secrets_rev: str
    probes_ok: bool | None
    at: Moment
    state: str


class NodesOut(Telling):
    nodes: list[NodeOut]


class AttemptIn(Asking):
    service: Name
    environment: Name
    boot: Annotated[str, Field(min_length=1, max_length=100, description="Made up by the node, another each start.")]
    outcome: Literal["allow", "refused", "gave_up"]
    node: Short = ""
    release_id: Short = ""
    phase: Annotated[str, Field(max_length=63, description="Where it ended; left out, the last one.")] = ""
    reasons: Annotated[
        list[Annotated[list[str], Field(min_length=2, max_length=2)]],
        Field(max_length=20, description="Code and sentence of each, as the gate told them last."),
    ] = []
    tries: Annotated[int, Field(ge=1, le=100_000)] = 1
    seconds: Annotated[float, Field(ge=0, le=604_800)] = 0.0
    first_request_ok: Annotated[bool | None, Field(description="May be told later, with the same `boot`.")] = None


class AttemptOut(Telling):
    boot: str
    node: str
    release_id: str
    started_at: Moment
    ended_at: Moment
    phase: str
    outcome: str
    reasons: list[list[str]]
    tries: int
    first_request_ok: bool | None


class AttemptsOut(Telling):
    """Counted over 30 days; `without_retry_rate`, of all of them, is null where none was allowed."""

    total: int
    allowed: int
    without_retry: int
    without_retry_rate: float | None
    failures_by_phase: dict[str, int]
    first_requests: int
    first_request_errors: int
    newest: list[AttemptOut]


@router.get(
    "/boot-gate",
    response={200: AllowedOut, frozenset({409, 503}): NotAllowedOut, REFUSALS - {503}: ErrorOut},
    operation_id="ask_boot_gate",
    auth=BearerToken(),
)
def ask_boot_gate(
    request: HttpRequest,
    service: Word,
    environment: Word,
    release_id: Version = "",
    schema_rev: Version = "",
    index_hash: Version = "",
    secrets_rev: Version = "",
    node: Version = "",
    probes: Annotated[str, Query(max_length=4, description="ok or fail")] = "",
    boot: Annotated[str, Query(max_length=100)] = "",
) -> HttpResponse:
    """May this service start? 409 when something does not hold, 503 when that cannot be told; never 200 then."""
    return boot_gate(request)  # urls.py leads there directly


@router.get("/nodes", response=answers(NodesOut), operation_id="list_nodes")
def get_nodes(request: HttpRequest, service: Word, environment: Word) -> NodesOut:
    """What the nodes of an environment say they run."""
    found = access.environment_for(request.user, service, environment)
    return NodesOut(nodes=[_node(row) for row in list_nodes(found)])


@router.post("/nodes", response=answers(NodeOut), operation_id="report_node")
def post_node(request: HttpRequest, body: NodeIn) -> NodeOut:
    """What a node runs, each 15 seconds; it takes the place of what it said before."""
    found = access.environment_for(request.user, body.service, body.environment, "report_boot")
    asked = Asked(**body.model_dump(exclude={"service", "environment"}))
    return _node(row_of(report_node(environment=found, asked=asked)))


@router.post("/nodes/{service}/{environment}/{node}/retire", response=answers(NodeOut), operation_id="retire_node")
def post_retire(request: HttpRequest, service: str, environment: str, node: str) -> NodeOut:
    """It is no member from now on; a new report makes it one again."""
    found = access.node_for(request.user, service, environment, node, "report_boot")
    return _node(row_of(retire_node(report=found, by=access.require(request.user, "report_boot"))))


@router.get("/boot-attempts", response=answers(AttemptsOut), operation_id="list_boot_attempts")
def get_attempts(
    request: HttpRequest,
    service: Word,
    environment: Word,
    limit: Annotated[int, Query(ge=1, le=100, description="How many of the newest.")] = LISTED,
) -> AttemptsOut:
    """How services started in an environment."""
    found = access.environment_for(request.user, service, environment)
    counted = tally(found)
    newest = [
        AttemptOut(**{name: getattr(one, name) for name in AttemptOut.model_fields})
        for one in list_attempts(found, limit)
    ]
    return AttemptsOut(
        total=counted.total,
        allowed=counted.allowed,
        without_retry=counted.without_retry,
        without_retry_rate=counted.without_retry_rate,
        failures_by_phase=dict(counted.failures),
        first_requests=counted.first_requests,
        first_request_errors=counted.first_request_errors,
        newest=newest,
    )


@router.post("/boot-attempts", response=answers(AttemptOut, 201), operation_id="record_boot_attempt")
def post_attempt(request: HttpRequest, body: AttemptIn) -> Status[AttemptOut]:
    """One start, when it ended; the same `boot` again adds how its first request went."""
    found = access.environment_for(request.user, body.service, body.environment, "report_boot")
    given = body.model_dump(exclude={"service", "environment", "reasons"})
    reasons = tuple((code, sentence) for code, sentence in body.reasons)
    kept = record_attempt(environment=found, attempt=Attempt(**given, reasons=reasons))
    return Status(201, AttemptOut(**{name: getattr(kept, name) for name in AttemptOut.model_fields}))


def _node(row: NodeRow) -> NodeOut:
    return NodeOut(**{name: getattr(row, name) for name in NodeOut.model_fields})
