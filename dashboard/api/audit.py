"""The audit log, newest first, with the hashes that prove it."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import JsonValue

from dashboard import access
from dashboard.api.cursor import After, Limit, page
from dashboard.api.shapes import Moment, Telling, answers

router = Router(tags=["audit"])

Word = Annotated[str, Query(max_length=300)]


class EntryOut(Telling):
    """`body` is the text that was hashed; the fields beside it are read from it."""

    seq: int
    at: Moment
    actor: str
    roles: list[str]
    action: str
    object: str
    before: JsonValue
    after: JsonValue
    request_id: str
    body: str
    prev_hash: str
    hash: str


class AuditOut(Telling):
    entries: list[EntryOut]
    next: str | None


@router.get("", response=answers(AuditOut), operation_id="list_audit")
def list_audit(
    request: HttpRequest,
    actor: Word = "",
    action: Word = "",
    object: Word = "",
    after: After = "",
    limit: Limit = 50,
) -> AuditOut:
    rows = access.audit_for(request.user)
    for field, word in (("data__actor", actor), ("data__action", action), ("data__object", object)):
        if word:
            rows = rows.filter(**{field: word})
    found, more = page(rows, "audit", after, limit, "seq")
    return AuditOut(entries=[_told(entry) for entry in found], next=more)


def _told(entry: access.AuditEntry) -> EntryOut:
    return EntryOut(
        seq=entry.seq,
        at=entry.at,
        actor=entry.data["actor"],
        roles=entry.data["roles"],
        action=entry.data["action"],
        object=entry.data["object"],
        before=entry.data["before"],
        after=entry.data["after"],
        request_id=entry.data["request_id"],
        body=entry.body,
        prev_hash=bytes(entry.prev_hash).hex(),
        hash=bytes(entry.hash).hex(),
    )
