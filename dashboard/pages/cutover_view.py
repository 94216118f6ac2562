"""The context of a cutover's page and of its live fragment: the same for both, so that they cannot differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from dashboard import access_cutovers, stepup
from dashboard.pages.gate_rows import CHECK_STATES
from dashboard.pages.release_history import line_of
from dashboard.templatetags import text
from dashboard.templatetags.states import state_of
from migrations_app.admission.conditions import Condition, NotAdmitted
from migrations_app.engine.errors import LockstepError
from migrations_app.fleet.production import production_ids
from migrations_app.permissions import may, who_may
from migrations_app.reasons import SHORTEST_REASON
from migrations_app.releases.around import named_in_audit, told_of_cutover
from migrations_app.rollouts.offers import GO_ON, Offer, offers
from migrations_app.rollouts.words import sentence_of, timing_of
from migrations_app.runs.verdict import elapsed
from migrations_app.statuses import CUTOVER_OPEN, CUTOVER_SENTENCES, CutoverStatus, CutoverStepStatus

# A person has to decide about one that is halted, so nobody needs to know of it within two seconds.
POLLED_EVERY_S = {CutoverStatus.RUNNING: 2, CutoverStatus.ROLLING_BACK: 2, CutoverStatus.HALTED: 10}
_TOLD_EVERY_S = 10  # how long it has taken so far
# What an entry holds and the page shows in its own place.
_TOLD_ABOVE = frozenset({"cutover", "planned_from"})
# How long the way there took is told by its runs then.
_ON_THE_WAY_BACK = (CutoverStatus.ROLLING_BACK, CutoverStatus.ROLLED_BACK)


@dataclass(frozen=True)
class Refusal:
    """What was sent and refused."""

    verb: str
    reason: str
    failure: LockstepError

    @property
    def unmet(self) -> tuple[Condition, ...]:
        return self.failure.conditions if isinstance(self.failure, NotAdmitted) else ()


@dataclass(frozen=True)
class StepRow:
    """`took` and `back_took` are of its runs."""

    step: access_cutovers.CutoverStep
    state: str
    took: str
    back_took: str


@dataclass(frozen=True)
class GateLine:
    gate: access_cutovers.CutoverGate
    state: str


@dataclass(frozen=True)
class Act:
    """One verb with what its form needs."""

    offer: Offer
    reason_wanted: bool
    password_wanted: bool
    typed: str
    unfolded: bool


def version_parts(cutover: access_cutovers.Cutover, steps: Iterable[access_cutovers.CutoverStep], now: datetime) -> str:
    runs = [
        (step.status, *((run.pk, run.version, run.status) if run else () for run in (step.run, step.back_run)))
        for step in steps
    ]
    moving = cutover.status in CUTOVER_OPEN and cutover.status != CutoverStatus.HALTED
    return f"{cutover.pk} {cutover.version} {runs} {int(now.timestamp()) // _TOLD_EVERY_S if moving else ''}"


def touches_production(steps: Iterable[access_cutovers.CutoverStep]) -> bool:
    production = production_ids()
    return any(step.environment_id in production for step in steps)


def cutover_context(
    request: HttpRequest, cutover: access_cutovers.Cutover, refusal: Refusal | None = None
) -> dict[str, object]:
    now = timezone.now()
    steps = tuple(access_cutovers.steps_of_cutover_for(request.user, cutover))
    acts = _acts(request, cutover, steps, refusal)
    state = f"cutover_{cutover.status}"
    reads = may(request.user, "view_audit")
    return {
        "cutover": cutover,
        "release": cutover.release,
        "service": cutover.release.service.name,
        "over": cutover.status not in CUTOVER_OPEN,
        "every": POLLED_EVERY_S.get(CutoverStatus(cutover.status)),
        "state": state,
        "sentence": sentence_of(cutover, steps),
        "meaning": CUTOVER_SENTENCES[cutover.status],
        "title": f"{state_of(state).word}: cutover {cutover.pk} of {cutover.release.release_id}",
        "timing": timing_of(cutover, now) if cutover.status not in _ON_THE_WAY_BACK else None,
        "steps": [_row(cutover, step) for step in steps],
        "acts": acts,
        "drawn": _drawn_key(acts),
        "gates": [
            GateLine(gate, CHECK_STATES.get(gate.state, "unknown"))
            for gate in access_cutovers.gates_of_cutover_for(request.user, cutover)
        ],
        "shortest_reason": SHORTEST_REASON,
        "refusal": refusal,
        "audit": tuple(line_of(entry, _TOLD_ABOVE) for entry in told_of_cutover(cutover)) if reads else None,
        "audit_readers": who_may("view_audit"),
        "audit_url": f"{reverse('audit')}?{urlencode({'object': named_in_audit(cutover.release)})}",
    }


def _row(cutover: access_cutovers.Cutover, step: access_cutovers.CutoverStep) -> StepRow:
    state = step.status
    if cutover.status == CutoverStatus.ROLLING_BACK and step.back_run and state != CutoverStepStatus.ROLLED_BACK:
        state = "rolling_back"
    took, back = (elapsed(run) if run else None for run in (step.run, step.back_run))
    return StepRow(
        step=step,
        state=state,
        took=text.duration(took.total_seconds() * 1000) if took else "",
        back_took=text.duration(back.total_seconds() * 1000) if back else "",
    )


def _acts(
    request: HttpRequest,
    cutover: access_cutovers.Cutover,
    steps: Sequence[access_cutovers.CutoverStep],
    refusal: Refusal | None,
) -> tuple[Act, ...]:
    asks = stepup.wanted(request) and touches_production(steps)
    return tuple(
        Act(
            offer=offer,
            reason_wanted=offer.verb != GO_ON,
            password_wanted=asks and offer.changes,
            typed=refusal.reason if refusal and refusal.verb == offer.verb else "",
            unfolded=refusal is not None and refusal.verb == offer.verb,
        )
        for offer in offers(cutover, steps, request.user)
    )


def _drawn_key(acts: Sequence[Act]) -> str:
    """Of the buttons; the password is asked for by what stands on the page when it is opened."""
    told = repr([(act.offer.verb, act.offer.why, act.password_wanted) for act in acts])
    return hashlib.sha256(told.encode()).hexdigest()[:12]
