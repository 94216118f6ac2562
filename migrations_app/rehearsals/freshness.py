"""Whether a revision's rehearsal still says something about this target: bytes, chain, schema and age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from migrations_app.engine.contract.plan import Direction
from migrations_app.engine.target.fingerprint import comparable
from migrations_app.models import Environment, LedgerEntry, Revision, RevisionRehearsal, SchemaReading
from migrations_app.rehearsals.chains import chain_hashes
from migrations_app.statuses import Verdict

State = Literal["fresh", "stale", "failed", "never"]
_KEPT = 3  # of a revision's newest parts that are looked at: of one direction and the other


@dataclass(frozen=True)
class Freshness:
    """`why` is a sentence for all states but fresh; `until` is when a fresh one turns stale."""

    revision_id: str
    state: State
    part: RevisionRehearsal | None = None
    why: str = ""
    until: datetime | None = None


def freshness(
    environment: Environment, direction: Direction, revisions: Sequence[Revision], now: datetime | None = None
) -> tuple[Freshness, ...]:
    """For each revision of a plan in its order; a rehearsal counts where the one before it leaves the schema."""
    newest = _newest(environment, [revision.revision_id for revision in revisions])
    if not newest:
        return tuple(_never(revision.revision_id) for revision in revisions)
    moment = now or timezone.now()
    chains, stands = chain_hashes(environment.service_id), target_schema(environment)
    found = []
    for revision in revisions:
        parts = newest.get(revision.revision_id, [])
        best = min(
            (_judged(environment, direction, revision, part, chains, stands, moment) for part in parts),
            key=lambda one: ("fresh", "failed", "stale").index(one.state),
            default=_never(revision.revision_id),
        )
        found.append(best)
        if best.part is not None:
            stands = best.part.fp_after if direction == "up" else best.part.fp_back or best.part.fp_before
    return tuple(found)


def _never(revision_id: str) -> Freshness:
    return Freshness(revision_id, "never", why=f"{revision_id} was never rehearsed.")


def target_schema(environment: Environment) -> str:
    """The fingerprint of the target: as last read at this head, else what the newest receipt left, else nothing."""
    reading = SchemaReading.objects.filter(environment=environment).order_by("-id").first()
    if reading is not None and reading.head_seq == environment.head_seq:
        return reading.content_id
    newest = LedgerEntry.objects.standing().filter(environment=environment).order_by("-seq")
    known = newest.values_list("fp_after", flat=True).first() or ""
    return known if known.startswith("fp:") else ""


def _newest(environment: Environment, revision_ids: Sequence[str]) -> dict[str, list[RevisionRehearsal]]:
    place = Window(RowNumber(), partition_by=F("revision_id"), order_by=F("id").desc())
    parts = RevisionRehearsal.objects.filter(environment=environment, revision_id__in=revision_ids)
    found: dict[str, list[RevisionRehearsal]] = {}
    for part in parts.defer("traces", "down_traces").annotate(place=place).filter(place__lte=_KEPT).order_by("-id"):
        found.setdefault(part.revision_id, []).append(part)
    return found


def _judged(
    environment: Environment,
    direction: Direction,
    revision: Revision,
    part: RevisionRehearsal,
    chains: dict[str, str],
    stands: str,
    now: datetime,
) -> Freshness:
    until = part.finished_at + timedelta(days=environment.rehearsal_days)
    why = (
        _other_bytes(revision, part, chains)
        or _other_server(environment, part)
        or _other_schema(direction, part, stands)
        or ("" if now < until else f"it is older than {environment.rehearsal_days} days")
    )
    if why:
        return Freshness(
            revision.revision_id, "stale", part, f"The rehearsal of {revision.revision_id} is stale: {why}."
        )
    if part.verdict == Verdict.FAILED:
        message = (part.error or {}).get("message", "")
        return Freshness(
            revision.revision_id, "failed", part, f"The rehearsal of {revision.revision_id} failed: {message}"
        )
    return Freshness(revision.revision_id, "fresh", part, until=until)


def _other_bytes(revision: Revision, part: RevisionRehearsal, chains: dict[str, str]) -> str:
    for name, words in (("checksum", "up file"), ("down_checksum", "down file"), ("verify_checksum", "verify file")):
        if getattr(revision, name) != getattr(part, name):
            return f"its {words} has changed"
    return "" if chains.get(revision.revision_id) == part.chain else "the chain below it has changed"


def _other_server(environment: Environment, part: RevisionRehearsal) -> str:
    now, then = ((number or 0) // 10000 for number in (environment.server_version_num, part.server_version_num))
    return f"the target is PostgreSQL {now} and was {then}" if now and now != then else ""


def _other_schema(direction: Direction, part: RevisionRehearsal, stands: str) -> str:
    began = part.fp_before if direction == "up" else part.fp_after
    if not stands or not began:
        return ""
    if not comparable(stands, began):
        return "it was measured by another version's rules"
    return "" if stands == began else "the schema it began with is not the one that stands"
