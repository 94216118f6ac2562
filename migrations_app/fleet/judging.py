"""Whether what was read is what the receipts left: the reading is kept, and a drift begins, goes on or ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from migrations_app.audit.record import record
from migrations_app.engine.target.ddl_log import Change
from migrations_app.fleet.contents import compare_contents, measured
from migrations_app.fleet.schema_look import Look
from migrations_app.fleet.schema_words import summary, telling
from migrations_app.fleet.stored import spoken
from migrations_app.models import (
    Environment,
    LedgerEntry,
    Run,
    SchemaContent,
    SchemaDrift,
    SchemaReading,
    SchemaState,
)
from migrations_app.models.schema import STANDING, DriftState, Known, Source, Way

OWN = "lockstep:"
PLANNED: dict[str, DriftState] = {Way.ADOPT: DriftState.ADOPTING, Way.REVERT: DriftState.REVERTING}


@dataclass(frozen=True)
class Expected:
    fingerprint: str
    by: Known
    since: datetime


def keep(
    environment: Environment, found: Look, content: SchemaContent, source: Source, *, due: timedelta
) -> SchemaReading:
    """In the caller's transaction, which holds the environment's row."""
    now = timezone.now()
    state, _ = SchemaState.objects.get_or_create(environment=environment)
    expected = None if found.half_done else expectation(state, found) or _baseline(content, now)
    clean = _clean(state, found, content, expected)
    reading = _reading(environment, found, content, source, clean, now)
    drift = standing_drift(environment)
    state.reading, state.read_at, state.tried_at, state.failure = reading, now, now, ""
    state.due_at, state.watched, state.half_done = now + due, found.watched, found.half_done
    if expected is not None:
        _expect(state, found, expected)
    if clean:
        state.clean_at = now
    state.save()
    if clean is False and expected is not None:
        _go_on(environment, state, found, content, expected, drift, now)
    elif expected is not None and drift is not None:
        _end(environment, drift, found, content, now)
    return reading


def expectation(state: SchemaState, found: Look) -> Expected | None:
    """What a person accepted, else the newest receipt's, else the first reading's; None when nothing says so."""
    receipt = found.receipt
    here = state.expected_after == receipt.key and state.expected_major == found.major and measured(state.expected)
    kept = Expected(state.expected, Known(state.expected_by), state.expected_since or timezone.now()) if here else None
    if kept is not None and kept.by == Known.ACCEPTED:
        return kept
    same_server = receipt.server_version_num is not None and receipt.server_version_num // 10_000 == found.major
    if same_server and measured(receipt.fp_after) and receipt.applied_at is not None:
        return Expected(receipt.fp_after, Known.RECEIPT, receipt.applied_at)
    return kept


def standing_drift(environment: Environment) -> SchemaDrift | None:
    return SchemaDrift.objects.filter(environment=environment, state__in=STANDING).first()


def _baseline(content: SchemaContent, now: datetime) -> Expected:
    return Expected(content.fingerprint, Known.READING, now)


def _clean(state: SchemaState, found: Look, content: SchemaContent, expected: Expected | None) -> bool | None:
    """None for what is half done, and for the very reading that became what is expected."""
    if expected is None:
        return None
    if expected.by == Known.READING and state.expected_after != found.receipt.key:
        return None
    return content.fingerprint == expected.fingerprint


def _expect(state: SchemaState, found: Look, expected: Expected) -> None:
    state.expected, state.expected_by, state.expected_since = expected.fingerprint, expected.by, expected.since
    state.expected_after, state.expected_major = found.receipt.key, found.major


def _reading(
    environment: Environment, found: Look, content: SchemaContent, source: Source, clean: bool | None, now: datetime
) -> SchemaReading:
    """The newest reading once more when it says the same, else a new one."""
    newest = SchemaReading.objects.filter(environment=environment).first()
    told = (content.pk, found.receipt.seq, found.receipt.head, found.server_version_num)
    if newest is not None and told == (
        newest.content_id, newest.head_seq, newest.head_revision, newest.server_version_num
    ):  # fmt: skip
        newest.seen_until = now
        newest.agrees = newest.agrees if clean is None else clean
        newest.save(update_fields=["seen_until", "agrees"])
        return newest
    return SchemaReading.objects.create(
        environment=environment,
        content=content,
        head_seq=found.receipt.seq,
        head_revision=found.receipt.head,
        server_version_num=found.server_version_num,
        source=source,
        taken_at=now,
        seen_until=now,
        agrees=clean,
    )


def _go_on(
    environment: Environment,
    state: SchemaState,
    found: Look,
    content: SchemaContent,
    expected: Expected,
    drift: SchemaDrift | None,
    now: datetime,
) -> None:
    """Found anew, or once more. What was ignored is open again when something else differs than was ignored."""
    if drift is not None and (drift.found_id, drift.expected) == (content.pk, expected.fingerprint):
        _seen_again(drift, now)
        return
    baseline = _comparable(environment, expected.fingerprint)
    differing = telling(compare_contents(baseline, content)) if baseline else ()
    changed = drift or SchemaDrift(environment=environment, found_at=now, last_clean_at=state.clean_at)
    changed.state, changed.last_seen_at, changed.ignore_until = DriftState.OPEN, now, None
    changed.way, changed.revision_checksum = "", ""  # what was uploaded for it was written for something else
    changed.head_seq, changed.head_revision = found.receipt.seq, found.receipt.head
    changed.server_version_num = found.server_version_num
    changed.expected, changed.expected_by = expected.fingerprint, expected.by
    changed.baseline, changed.found = baseline, content
    changed.differences = len(differing) if baseline else None
    changed.summary = summary(differing) or "What it should be was never read, so the objects cannot be named."
    changed.changed_by = [_told(one) for one in _of_others(environment, found.changes)]
    changed.save()
    action = "drift.changed" if drift else "drift.found"
    record(actor=None, action=action, object=spoken(environment), after=shown(changed))


def _seen_again(drift: SchemaDrift, now: datetime) -> None:
    drift.last_seen_at = now
    if drift.state == DriftState.IGNORED and drift.ignore_until is not None and drift.ignore_until <= now:
        drift.state = PLANNED.get(drift.way, DriftState.OPEN)
    drift.save(update_fields=["last_seen_at", "state"])


def _end(environment: Environment, drift: SchemaDrift, found: Look, content: SchemaContent, now: datetime) -> None:
    drift.state, drift.ended_at = _how_it_ended(environment, drift, found, content), now
    drift.save(update_fields=["state", "ended_at"])
    record(actor=None, action=f"drift.{drift.state}", object=spoken(environment), after=shown(drift))


def _how_it_ended(environment: Environment, drift: SchemaDrift, found: Look, content: SchemaContent) -> DriftState:
    """By its revision, by another receipt that met it, or by itself."""
    if drift.way == Way.ADOPT and _has_receipt(environment, drift):
        return DriftState.ADOPTED
    if drift.way == Way.REVERT and _has_receipt(environment, drift) and not _left_over(drift, content):
        return DriftState.REVERTED
    return DriftState.CARRIED if _carried(environment, drift, found) else DriftState.GONE


def _has_receipt(environment: Environment, drift: SchemaDrift) -> bool:
    since = LedgerEntry.objects.standing().filter(environment=environment, seq__gt=drift.head_seq)
    return since.filter(revision_id=drift.revision_id, direction="up").exists()


def _left_over(drift: SchemaDrift, content: SchemaContent) -> bool:
    """Whether anything that differed still is not as it was: a receipt is right about whatever its run left."""
    if drift.baseline is None:
        return False
    differed = {(one.kind, one.name) for one in telling(compare_contents(drift.baseline, drift.found))}
    return any((one.kind, one.name) in differed for one in telling(compare_contents(drift.baseline, content)))


def _carried(environment: Environment, drift: SchemaDrift, found: Look) -> bool:
    """Whether a run met it: the first receipt after it says what that run began with."""
    if found.receipt.seq <= drift.head_seq:
        return drift.server_version_num // 10_000 != found.major or not measured(drift.expected)
    after = LedgerEntry.objects.standing().filter(environment=environment, seq=drift.head_seq + 1).first()
    return after is None or after.fp_before != drift.expected


def _comparable(environment: Environment, expected: str) -> SchemaContent | None:
    """What was expected, if anybody ever read it anywhere; else how this target was when it was last clean."""
    known = SchemaContent.objects.filter(pk=expected).first()
    if known is not None:
        return known
    clean = SchemaReading.objects.filter(environment=environment, agrees=True).select_related("content").first()
    return clean.content if clean is not None and measured(clean.content_id) else None


def _of_others(environment: Environment, changes: Iterable[Change]) -> list[Change]:
    """Without what this environment's own runs did: a session that only calls itself so is not left out."""
    found = list(changes)
    claimed = {one.application.removeprefix(OWN)[:36] for one in found if one.application.startswith(OWN)}
    spans = {
        str(uid): (start, end)
        for uid, start, end in Run.objects.filter(environment=environment, started_at__isnull=False)
        .order_by("-pk")
        .values_list("uid", "started_at", "finished_at")[:200]
        if start is not None and str(uid) in claimed
    }
    return [one for one in found if not _within(one, spans)]


def _within(one: Change, spans: dict[str, tuple[datetime, datetime | None]]) -> bool:
    """Give or take a minute, for the target has a clock of its own."""
    span = spans.get(one.application.removeprefix(OWN)[:36]) if one.application.startswith(OWN) else None
    if span is None:
        return False
    start, end = span
    slack = timedelta(minutes=1)
    return start - slack <= one.at and (end is None or one.at <= end + slack)


def _told(one: Change) -> dict[str, str]:
    return {**asdict(one), "at": one.at.isoformat()}


def shown(drift: SchemaDrift) -> dict[str, object]:
    """What an audit entry keeps of a drift."""
    return {
        "drift": drift.pk,
        "state": str(drift.state),
        "summary": drift.summary,
        "differences": drift.differences,
        "head": drift.head_revision,
        "expected": drift.expected,
        "found": drift.found_id,
        **({"way": str(drift.way), "revision": drift.revision_id} if drift.way else {}),
    }
