"""Evidence about a release: report it, list it, fetch what was attached to it."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.errors import ValidationError
from ninja.responses import Status
from pydantic import Field, JsonValue

from dashboard import access, access_gates
from dashboard.api.cursor import After, Limit, page
from dashboard.api.envelope import ErrorOut
from dashboard.api.gate_shapes import ArtefactOut, artefact
from dashboard.api.shapes import REFUSALS, Asking, Moment, Telling, answers
from dashboard.attached import attached
from migrations_app.releases.gates.evidence import Attachment, post_evidence
from migrations_app.releases.gates.looking import ask_look

router = Router(tags=["gates"])

BINARY = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
# Told to clients; the domain itself refuses what is longer, with a sentence.
Key = Annotated[str, Field(max_length=63)]
Short = Annotated[str, Field(max_length=200)]


class NewEvidence(Asking):
    """`artefact` is the name of a file, `artefact_sha256` its hash, `artefact_base64` its content.

    A body has 8 MB at most, so a file that comes with it about 6 MB; of a larger one send name and hash.
    """

    gate: Key
    check: Key
    status: Annotated[str, Field(max_length=20, description="`pass` or `fail`.")]
    summary: Annotated[str, Field(max_length=2000, description="What was found, in a sentence.")]
    producer: Annotated[Short, Field(description="Which job found it out; left out, whose token it is.")] = ""
    commit: Annotated[Short, Field(description="Where it was found; another one than the release's is refused.")] = ""
    artefact: Annotated[str, Field(max_length=300)] = ""
    artefact_sha256: Annotated[str, Field(max_length=64)] = ""
    artefact_base64: str | None = None


class EvidenceOut(Telling):
    """`detail` is what a worker measured, where one did."""

    id: int
    gate: str
    check: str
    status: str
    summary: str
    source: str
    producer: str
    commit: str
    detail: JsonValue
    artefact: ArtefactOut | None
    at: Moment
    by: str


class PostedOut(EvidenceOut):
    """`matched`: a check of the release's catalogue takes it. Where none does, `hint` names the one most like it."""

    matched: bool
    hint: str


class NewLook(Asking):
    gate: Key
    check: Key


class LookOut(Telling):
    """`asked_by` is empty for one that the clock asked for; what was found is evidence of the check."""

    id: int
    gate: str
    check: str
    asked_by: str
    asked_at: Moment
    started_at: Moment | None


class EvidencePageOut(Telling):
    evidence: list[EvidenceOut]
    next: str | None


@router.post(
    "/{int:release_number}/evidence", response=answers(PostedOut, 201, also=409), operation_id="report_evidence"
)
def report(request: HttpRequest, release_number: int, body: NewEvidence) -> Status[PostedOut]:
    """Each report is a row of its own, and signatures under other evidence of its gate no longer count."""
    release = access.release_for(request.user, release_number, "post_evidence")
    posted = post_evidence(
        release=release,
        gate=body.gate,
        check=body.check,
        status=body.status,
        summary=body.summary,
        producer=body.producer,
        commit=body.commit,
        attachment=Attachment(body.artefact, body.artefact_sha256, _content(body.artefact_base64)),
        by=access.require(request.user, "post_evidence"),
    )
    out = PostedOut(**dict(_told(posted.evidence)), matched=posted.matched, hint=posted.hint)
    return Status(201, out)


@router.get("/{int:release_number}/evidence", response=answers(EvidencePageOut), operation_id="list_evidence")
def list_evidence(
    request: HttpRequest,
    release_number: int,
    gate: Annotated[str, Query(max_length=63)] = "",
    check: Annotated[str, Query(max_length=63)] = "",
    after: After = "",
    limit: Limit = 50,
) -> EvidencePageOut:
    """Newest first, a page at a time."""
    release = access.release_for(request.user, release_number)
    wanted = {name: key for name, key in (("gate_key", gate), ("check_key", check)) if key}
    rows = access_gates.evidence_for(request.user, release).filter(**wanted)
    found, more = page(rows, f"evidence of {release.pk}", after, limit)
    return EvidencePageOut(evidence=[_told(row) for row in found], next=more)


@router.post("/{int:release_number}/looks", response=answers(LookOut, 202, also=409), operation_id="ask_for_a_look")
def ask_for_a_look(request: HttpRequest, release_number: int, body: NewLook) -> Status[LookOut]:
    """Have a worker look at an address, a program or a target now. One that is open already is what is answered."""
    release = access.release_for(request.user, release_number, "post_evidence")
    by = access.require(request.user, "post_evidence")
    asked = ask_look(release=release, gate=body.gate, check=body.check, by=by)
    out = LookOut(
        id=asked.pk,
        gate=asked.gate_key,
        check=asked.check_key,
        asked_by=asked.asked_by.get_username() if asked.asked_by else "",
        asked_at=asked.asked_at,
        started_at=asked.started_at,
    )
    return Status(202, out)


@router.get(
    "/{int:release_number}/evidence/{int:evidence_number}/artefact",
    response={200: None, REFUSALS: ErrorOut},
    openapi_extra={"responses": {200: BINARY}},
    operation_id="get_artefact",
)
def get_artefact(request: HttpRequest, release_number: int, evidence_number: int) -> HttpResponse:
    """The file as it was attached, to be saved and not shown: it may be anything."""
    release = access.release_for(request.user, release_number)
    row = access_gates.evidence_row_for(request.user, release, evidence_number)
    return attached(row.artefact_name, access_gates.artefact_for(request.user, release, evidence_number))


def _content(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        message = "it is no Base64"
        raise ValidationError(
            [{"loc": ("body", "body", "artefact_base64"), "type": "base64", "msg": message}]
        ) from None


def _told(row: access_gates.GateEvidence) -> EvidenceOut:
    return EvidenceOut(
        id=row.pk,
        gate=row.gate_key,
        check=row.check_key,
        status=row.status,
        summary=row.summary,
        source=row.source,
        producer=row.producer,
        commit=row.commit,
        detail=row.detail,
        artefact=artefact(row.artefact_name, row.artefact_sha256, row.artefact.size if row.artefact else None),
        at=row.at,
        by=row.by.get_username() if row.by else "",
    )
