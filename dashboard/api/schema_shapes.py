"""How one environment's schema is told: the shapes of the answer, and what fills them."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone

from dashboard import access
from dashboard.api.shapes import Moment, Telling
from migrations_app.fleet.schema_view import Doer, Episode, Told, View, view_of
from migrations_app.permissions import may

MOST = 500  # differences in one answer


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
    """`way` says how `revision_id` ends it, empty where no revision was uploaded for it; `planned` are its bytes."""

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
    way: str
    revision_id: str
    planned: str
    planned_by: str | None
    planned_at: Moment | None
    differences_total: int | None
    differences: list[DifferenceOut]
    changed_by: list[DoerOut]


class EpisodeOut(Telling):
    """A drift from its finding to its end; `revision_id` is the revision that was uploaded for it."""

    state: str
    sentence: str
    summary: str
    found_at: Moment
    ended_at: Moment | None
    way: str
    revision_id: str
    planned_by: str | None
    decided_by: str | None
    reason: str


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
    past: list[EpisodeOut]


def told_schema(request: HttpRequest, environment: access.Environment) -> SchemaOut:
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
        past=[_episode(one) for one in view.episodes],
    )


def _episode(one: Episode) -> EpisodeOut:
    drift = one.drift
    return EpisodeOut(
        state=drift.state,
        sentence=one.sentence,
        summary=drift.summary,
        found_at=drift.found_at,
        ended_at=drift.ended_at,
        way=drift.way,
        revision_id=drift.revision_id if drift.way else "",
        planned_by=_name(drift.planned_by),
        decided_by=_name(drift.decided_by),
        reason=drift.reason,
    )


def _name(person: access.User | None) -> str | None:
    return person.get_username() if person else None


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
        decided_by=_name(drift.decided_by),
        way=drift.way,
        revision_id=drift.revision_id if drift.way else "",
        planned=drift.revision_checksum,
        planned_by=_name(drift.planned_by),
        planned_at=drift.planned_at,
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
