"""Every exemption that was ever asked for a release: what was let pass stays to be seen after its time is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from migrations_app.models import GateWaiver, Release, WaiverDecision
from migrations_app.releases.gates.known import Key
from migrations_app.statuses import WaiverVerb

ASKED, APPROVED, OVER = "asked", "approved", "over"
_AFTER = {
    WaiverVerb.DECLINE: "declined",
    WaiverVerb.WITHDRAW: "withdrawn",
    WaiverVerb.REVOKE: "revoked",
}
STATES = (ASKED, APPROVED, OVER, *_AFTER.values())


@dataclass(frozen=True)
class Decision:
    verb: str
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class Told:
    """`state` is one of STATES; `approved_by` stays when it is over."""

    id: int
    gate: str
    check: str
    state: str
    reason: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    decisions: tuple[Decision, ...] = ()

    @property
    def approved_by(self) -> str:
        return next((one.by for one in self.decisions if one.verb == WaiverVerb.APPROVE), "")

    @property
    def ended_by(self) -> str:
        """Who declined, withdrew or revoked it."""
        return next((one.by for one in self.decisions if one.verb != WaiverVerb.APPROVE), "")


def exemptions_of(release: Release, now: datetime) -> dict[Key, tuple[Told, ...]]:
    """By gate and check, the newest first; two queries."""
    rows = GateWaiver.objects.filter(release=release).order_by("-id")
    found: dict[Key, tuple[Told, ...]] = {}
    decisions = WaiverDecision.objects.order_by("id").select_related("by")
    for row in rows.select_related("requested_by").prefetch_related(Prefetch("decisions", decisions)):
        key = (row.gate_key, row.check_key)
        found[key] = (*found.get(key, ()), told_of(row, now))
    return found


def told_of(row: GateWaiver, now: datetime) -> Told:
    decisions = tuple(Decision(one.verb, one.by.get_username(), one.at, one.reason) for one in row.decisions.all())
    return Told(
        id=row.pk,
        gate=row.gate_key,
        check=row.check_key,
        state=_state(decisions, late=row.expires_at <= now),
        reason=row.reason,
        requested_by=row.requested_by.get_username(),
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        decisions=decisions,
    )


def _state(decisions: tuple[Decision, ...], *, late: bool) -> str:
    last = decisions[-1].verb if decisions else ""
    if last in _AFTER:
        return _AFTER[WaiverVerb(last)]
    if late:
        return OVER
    return APPROVED if last else ASKED
