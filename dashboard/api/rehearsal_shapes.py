"""A rehearsal as the API tells it: the sentence first, then each revision's verdict with what it rests on."""

from __future__ import annotations

from uuid import UUID

from pydantic import JsonValue

from dashboard import access
from dashboard.api.shapes import Moment, Telling
from migrations_app.rehearsals.words import rehearsal_sentence
from migrations_app.statuses import verdict_sentence


class LossOut(Telling):
    """One thing that is not as it was; `count` is in rows or values, null where it is not a number of things."""

    kind: str
    object: str
    sentence: str
    count: int | None


class StageOut(Telling):
    name: str
    ms: int


class PartOut(Telling):
    """One revision; it is bound to the checksums, the chain and the fingerprints that are told here."""

    ordinal: int
    revision_id: str
    verdict: str
    sentence: str
    losses: list[LossOut]
    stages: list[StageOut]
    checksum: str
    down_checksum: str
    verify_checksum: str
    chain: str
    fp_before: str
    fp_after: str
    fp_back: str
    error: dict[str, JsonValue] | None
    finished_at: Moment


class RehearsalOut(Telling):
    id: int
    uid: UUID
    status: str
    sentence: str
    service: str
    environment: str
    direction: str
    on: str
    from_revision: str
    to_revision: str
    revisions: int
    doing: str
    requested_by: str
    reason: str
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    error: dict[str, JsonValue] | None


class RehearsalDetailOut(RehearsalOut):
    attempt: int
    target_fingerprint: str
    clone: dict[str, JsonValue] | None
    parts: list[PartOut]


class TraceOut(Telling):
    """What was measured of one statement on a copy of the clone."""

    direction: str
    measured: dict[str, JsonValue]


def told(rehearsal: access.Rehearsal) -> RehearsalOut:
    return RehearsalOut(
        id=rehearsal.pk,
        uid=rehearsal.uid,
        status=rehearsal.status,
        sentence=rehearsal_sentence(rehearsal),
        service=rehearsal.service.name,
        environment=rehearsal.environment.name,
        direction=rehearsal.direction,
        on=rehearsal.ground,
        from_revision=rehearsal.from_revision,
        to_revision=rehearsal.to_revision,
        revisions=len(rehearsal.revisions),
        doing=rehearsal.doing,
        requested_by=rehearsal.requested_by.get_username(),
        reason=rehearsal.reason,
        created_at=rehearsal.created_at,
        started_at=rehearsal.started_at,
        finished_at=rehearsal.finished_at,
        error=rehearsal.error,
    )


def told_in_full(rehearsal: access.Rehearsal, user: access.Person) -> RehearsalDetailOut:
    parts = access.rehearsal_parts_for(user, rehearsal).defer("traces", "down_traces")
    return RehearsalDetailOut(
        **dict(told(rehearsal)),
        attempt=rehearsal.attempt,
        target_fingerprint=rehearsal.target_fingerprint,
        clone=rehearsal.clone,
        parts=[_part(part) for part in parts],
    )


def _part(part: access.RevisionRehearsal) -> PartOut:
    return PartOut(
        ordinal=part.ordinal,
        revision_id=part.revision_id,
        verdict=part.verdict,
        sentence=verdict_sentence(part.verdict, down_file=bool(part.down_checksum)),
        losses=[LossOut.model_validate(loss) for loss in part.losses],
        stages=[StageOut.model_validate(stage) for stage in part.stages],
        checksum=part.checksum,
        down_checksum=part.down_checksum,
        verify_checksum=part.verify_checksum,
        chain=part.chain,
        fp_before=part.fp_before,
        fp_after=part.fp_after,
        fp_back=part.fp_back,
        error=part.error,
        finished_at=part.finished_at,
    )


def told_traces(part: access.RevisionRehearsal) -> list[TraceOut]:
    up = [TraceOut(direction="up", measured=one) for one in part.traces]
    return up + [TraceOut(direction="down", measured=one) for one in part.down_traces]
