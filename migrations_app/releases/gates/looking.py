"""Looks at what a worker finds out: asked for by people and by the clock, claimed, carried out, kept as evidence.

One look at a check is open at a time. Claims are as with rehearsals, by token and lease; the lease of a look is as long
as it may take at most, so that nobody has to renew it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Max, Q, QuerySet, Window
from django.db.models.functions import Now, RowNumber

from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.models import GateCatalogue, GateEvidence, GateLook, Release, ReleaseState
from migrations_app.releases.gates import kinds
from migrations_app.releases.gates.catalogue import Catalogue, Check, read_catalogue
from migrations_app.releases.gates.changing import begun, named, noticed, object_of
from migrations_app.releases.gates.evidence import keep_outcome
from migrations_app.releases.gates.kinds import COLLECTED, Found
from migrations_app.releases.gates.known import Key
from migrations_app.releases.gates.reading import database_now
from migrations_app.statuses import CheckKind, ReleaseStatus

NOT_DONE = "Nobody looks at it."
TRIES = 3
GRACE = timedelta(seconds=60)  # beside what the look itself takes: names are looked up, a process starts
LEAST_APART = timedelta(seconds=60)  # two looks at a check by the clock
LOOKED_AT = (ReleaseStatus.DRAFT, ReleaseStatus.COLLECTING)
MOST_RELEASES = 5  # of a service, the newest: who registers each build cuts few of them over
_MOST_AT_ONCE = 200
_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Claim:
    """The right to carry out a look until another claim takes a higher token."""

    look_id: int
    token: int
    release: Release
    gate: str
    check: Check
    lease: timedelta


def ask_look(*, release: Release, gate: str, check: str, by: User) -> GateLook:
    """Have a worker look now; one that is open already is what is answered.

    Raises Refused("no_such_gate"), Refused("no_such_check"), Refused("not_looked_at").
    """
    with transaction.atomic():
        found_gate, found = named(begun(release), gate, check, NOT_DONE)
        if found.kind not in COLLECTED:
            told = f"{gate}/{check} is {CheckKind(found.kind).label}; no worker can look at it."
            raise Refused("not_looked_at", told, not_done=NOT_DONE, next_step=_instead(found))
        if not (found_gate.on and found.on):
            told = f"{gate}/{check} does not apply: {found_gate.off_reason or found.off_reason}"
            raise Refused("not_looked_at", told, not_done=NOT_DONE, next_step="Nothing is left to do.")
        wanted = {"release": release, "gate_key": gate, "check_key": check}
        row = GateLook.objects.filter(ended_at=None, **wanted).first()
        if row is None:
            row = GateLook.objects.create(asked_by=by, **wanted)
            noticed(release)
            record(actor=by, action="gate.look", object=object_of(release), after={"gate": gate, "check": check})
    return GateLook.objects.select_related("asked_by").get(pk=row.pk)


def faults_of(release: Release) -> dict[Key, str]:
    """Why the newest look at a check, open or ended, led to no evidence; those that did are left out."""
    rows = GateLook.objects.filter(release=release).order_by("gate_key", "check_key", "-id")
    newest = rows.distinct("gate_key", "check_key")
    return {(row.gate_key, row.check_key): row.error for row in newest if row.error}


def ask_what_is_due() -> int:
    """By the clock: what has no evidence, or none that is young enough, and was not looked at just now."""
    now = database_now()
    states = _open_releases()
    ids = [state.pk for state in states]
    shown = _latest(GateEvidence.objects.filter(release__in=ids, source__in=sorted(COLLECTED)), "at") if ids else {}
    looks = GateLook.objects.filter(release__in=ids)
    asked = _latest(looks, "asked_at") if ids else {}
    waiting = set(looks.filter(ended_at=None).values_list("release_id", "gate_key", "check_key")) if ids else set()
    catalogues = {row.pk: read_catalogue(row.content) for row in _catalogues(states)}
    due_ones = [
        GateLook(release_id=state.pk, gate_key=gate, check_key=check.key)
        for state in states
        for gate, check in _collected(catalogues[state.catalogue_id or 0])
        if (state.pk, gate, check.key) not in waiting
        and _before(shown.get((state.pk, gate, check.key)), now - kinds.every(check))
        and _before(asked.get((state.pk, gate, check.key)), now - LEAST_APART)
    ]
    # Whoever asked meanwhile was first, and one look is enough.
    GateLook.objects.bulk_create(due_ones[:_MOST_AT_ONCE], ignore_conflicts=True)
    return len(due_ones[:_MOST_AT_ONCE])


def claimable() -> Q:
    return Q(ended_at=None) & (Q(lease_until=None) | Q(lease_until__lt=Now()))


def due(limit: int = 5) -> list[int]:
    """Looks that some worker should claim now: what a person waits for comes first, then the oldest."""
    rows = GateLook.objects.filter(claimable()).annotate(by_clock=Q(asked_by=None))
    return list(rows.order_by("by_clock", "id").values_list("pk", flat=True)[:limit])


def claim(look_id: int, worker: str) -> Claim | None:
    """Take it, or None when somebody else has it, or when its workers died too often."""
    row = GateLook.objects.filter(claimable(), pk=look_id).select_related("release__service").first()
    if row is None:
        return None
    with transaction.atomic():
        _, check = named(begun(row.release), row.gate_key, row.check_key, NOT_DONE)
        lease = timedelta(seconds=kinds.longest_s(row.release, check)) + GRACE
        mine = GateLook.objects.filter(claimable(), pk=row.pk, token=row.token)
        if row.attempt >= TRIES:
            mine.update(ended_at=Now(), lease_until=None, token=F("token") + 1, error=_given_up(row.attempt))
            return None
        taken = mine.update(
            token=F("token") + 1,
            attempt=F("attempt") + 1,
            worker=worker,
            started_at=Now(),
            lease_until=Now() + lease,
        )
        if taken != 1:
            return None
        noticed(row.release)
    return Claim(row.pk, row.token + 1, row.release, row.gate_key, check, lease)


def keep(claim: Claim, found: Found) -> bool:
    """What was found becomes evidence, and the look ends; False when another worker has taken over."""
    with transaction.atomic():
        # The release before the look, as everywhere, so that nobody waits for each other.
        begun(claim.release)
        if not _end(claim, ""):
            return False
        keep_outcome(
            release=claim.release,
            gate=claim.gate,
            check=claim.check,
            status=found.status,
            summary=found.summary,
            producer=found.producer,
            detail=found.detail,
        )
    return True


def give_up(claim: Claim, error: str) -> bool:
    """Lockstep itself failed: that is no evidence."""
    with transaction.atomic():
        begun(claim.release)
        ended = _end(claim, error)
        noticed(claim.release)
    return ended


def release_of_dead(worker: str) -> int:
    """End the lease of a worker process that is known to be dead."""
    return GateLook.objects.filter(worker=worker, ended_at=None).update(lease_until=Now())


def holders(machine: str) -> set[str]:
    """The worker processes of this machine that looks name as theirs."""
    mine = GateLook.objects.filter(ended_at=None, worker__startswith=f"{machine}:", lease_until__gte=Now())
    return set(mine.values_list("worker", flat=True))


def forget() -> int:
    """Ended ones of yesterday; what came of them is kept as evidence."""
    deleted, _ = GateLook.objects.filter(ended_at__lt=Now() - _KEPT).delete()
    return deleted


def _end(claim: Claim, error: str) -> bool:
    mine = GateLook.objects.filter(pk=claim.look_id, token=claim.token, ended_at=None)
    return mine.update(ended_at=Now(), lease_until=None, error=error[:1000]) == 1


def _open_releases() -> list[ReleaseState]:
    """Of each service the newest few that are still to be cut over."""
    place = Window(RowNumber(), partition_by=F("release__service"), order_by=F("release").desc())
    rows = ReleaseState.objects.filter(status__in=LOOKED_AT, catalogue__isnull=False)
    return list(rows.annotate(place=place).filter(place__lte=MOST_RELEASES))


def _catalogues(states: list[ReleaseState]) -> list[GateCatalogue]:
    return list(GateCatalogue.objects.filter(pk__in={state.catalogue_id for state in states}))


def _collected(catalogue: Catalogue) -> Iterator[tuple[str, Check]]:
    for gate in catalogue.gates:
        for check in gate.checks:
            if gate.on and check.on and check.kind in COLLECTED:
                yield gate.key, check


def _latest(rows: QuerySet[GateEvidence] | QuerySet[GateLook], moment: str) -> Mapping[tuple[int, str, str], datetime]:
    found = rows.order_by().values_list("release_id", "gate_key", "check_key").annotate(latest=Max(moment))
    return {(release, gate, check): latest for release, gate, check, latest in found}


def _before(moment: datetime | None, limit: datetime) -> bool:
    return moment is None or moment < limit


def _instead(check: Check) -> str:
    return "Look at the gate: it is known there." if check.kind == CheckKind.FACT else "Report it."


def _given_up(attempt: int) -> str:
    return f"The worker that looked went away {attempt} times; the workers' logs may tell what ended it."
