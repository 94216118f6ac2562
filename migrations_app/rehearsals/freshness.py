"""Whether a revision's rehearsal still says something about this target: bytes, chain, schema and age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from migrations_app.engine.contract.plan import Direction
from migrations_app.engine.sql.losing import depends_on_rows
from migrations_app.engine.target.fingerprint import comparable
from migrations_app.models import Environment, LedgerEntry, Rehearsal, Revision, RevisionRehearsal, Run, SchemaReading
from migrations_app.rehearsals.chains import chain_hashes
from migrations_app.runs.planning import planned
from migrations_app.statuses import Verdict

State = Literal["fresh", "stale", "failed", "never"]
_LARGE = ("traces", "down_traces", "rehearsal__revisions", "rehearsal__clone")
_KEPT = 2  # of the newest parts made with the same bytes, of either direction and each verdict
_ALIKE = ("revision_id", "checksum", "down_checksum", "verify_checksum", "chain", "rehearsal__direction", "verdict")


@dataclass(frozen=True)
class Freshness:
    """`why` is a sentence for all states but fresh; `until` is when a fresh one turns stale.

    `losses` are the sentences of what the newest rehearsals of either way found lost, whatever has grown old of them:
    the one before it was applied sees what does not come back, the one after it what was written since.
    """

    revision_id: str
    state: State
    part: RevisionRehearsal | None = None
    why: str = ""
    until: datetime | None = None
    losses: tuple[str, ...] = ()


def freshness(
    environment: Environment, direction: Direction, revisions: Sequence[Revision], now: datetime | None = None
) -> tuple[Freshness, ...]:
    """For each revision of a plan in its order; a rehearsal counts where the one before it leaves the schema."""
    newest = _newest(environment, [revision.revision_id for revision in revisions])
    if not newest:
        return tuple(_never(revision.revision_id) for revision in revisions)
    last_up = _last_up(environment) if direction == "down" else None
    today = _Today(environment, direction, chain_hashes(environment.service_id), last_up, now or timezone.now())
    stands = target_schema(environment)
    found = []
    for revision in revisions:
        parts = newest.get(revision.revision_id, [])
        judged = [_judged(today, revision, part, stands) for part in parts]
        # The newest that still says something: a failure does not give way to an older success.
        telling = [one for one in judged if one.state != "stale"]
        best = next(iter([*telling, *judged]), _never(revision.revision_id))
        found.append(replace(best, losses=_losses(today, revision, parts)) if parts else best)
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
    return known if known.startswith("fp:") else _as_rehearsed(environment)


def _as_rehearsed(environment: Environment) -> str:
    """What the newest rehearsal at this head cloned: where nothing else has looked, that is what is known."""
    mine = Rehearsal.objects.filter(environment=environment, from_revision=environment.head_revision)
    known = mine.exclude(target_fingerprint="").order_by("-id")
    return known.values_list("target_fingerprint", flat=True).first() or ""


def _newest(environment: Environment, revision_ids: Sequence[str]) -> dict[str, list[RevisionRehearsal]]:
    place = Window(RowNumber(), partition_by=[F(name) for name in _ALIKE], order_by=F("id").desc())
    parts = RevisionRehearsal.objects.filter(environment=environment, revision_id__in=revision_ids)
    found: dict[str, list[RevisionRehearsal]] = {}
    parts = parts.select_related("rehearsal").defer(*_LARGE)
    for part in parts.annotate(place=place).filter(place__lte=_KEPT).order_by("-id"):
        found.setdefault(part.revision_id, []).append(part)
    return found


@dataclass(frozen=True)
class _Today:
    """What the parts of a plan are held against; `last_up` is when the last run up ended, where the way is down."""

    environment: Environment
    direction: Direction
    chains: dict[str, str]
    last_up: datetime | None
    now: datetime


def _judged(today: _Today, revision: Revision, part: RevisionRehearsal, stands: str) -> Freshness:
    days = today.environment.rehearsal_days
    until = part.finished_at + timedelta(days=days)
    why = (
        _other_bytes(revision, part, today.chains)
        or _other_server(today.environment, part)
        or _other_schema(today.direction, part, stands)
        or _other_rows(today, revision, part)
        or ("" if today.now < until else f"it is older than {days} days")
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


def _losses(today: _Today, revision: Revision, parts: Sequence[RevisionRehearsal]) -> tuple[str, ...]:
    """Of the newest part in each direction that was made with these bytes; an object that both tell of is told once."""
    compared = [part for part in parts if part.verdict in (Verdict.REVERSIBLE, Verdict.LOSSY)]
    same = [part for part in compared if not _other_bytes(revision, part, today.chains)]
    newest = [next((part for part in same if part.rehearsal.direction == way), None) for way in ("down", "up")]
    after, before = (part.losses if part is not None else [] for part in newest)
    told = {(loss["kind"], loss["object"]) for loss in after}
    more = [loss for loss in before if (loss["kind"], loss["object"]) not in told]
    return tuple(str(loss["sentence"]) for loss in [*after, *more])


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
    if not began:
        return ""
    if not stands:
        return "nobody knows the schema that stands; have it read"
    if not comparable(stands, began):
        return "it was measured by another version's rules"
    return "" if stands == began else "the schema it began with is not the one that stands"


def _last_up(environment: Environment) -> datetime | None:
    ups = Run.objects.filter(environment=environment, direction="up", finished_at__isnull=False)
    return ups.order_by("-finished_at").values_list("finished_at", flat=True).first()


def _other_rows(today: _Today, revision: Revision, part: RevisionRehearsal) -> str:
    """Before a revision was applied, as it stands now, nobody can have written what its way back would take."""
    if today.direction == "up" or not _came_before(part, today.last_up):
        return ""
    found = row_bound(revision)
    if not found:
        return ""
    return (
        f"it was made before {part.revision_id} was applied, so that what was written since is not in it, and the way "
        f"back has {found}. Rehearse the way back"
    )


def row_bound(revision: Revision) -> str:
    """The first statement of its down file that depends on the rows it meets, summed up; empty when there is none."""
    if revision.down_script is None:
        return ""
    statements = (one for step in planned(revision, "down").steps for one in step.statements)
    return next((one.summary for one in statements if depends_on_rows(one)), "")


def _came_before(part: RevisionRehearsal, last_up: datetime | None) -> bool:
    return part.rehearsal.direction == "up" or (last_up is not None and part.finished_at < last_up)
