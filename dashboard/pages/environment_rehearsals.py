"""What an environment's page tells about rehearsals: of the plan, of its way back, and of what waits for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils import timezone

from dashboard import access
from migrations_app.admission.consent import LOSSY
from migrations_app.admission.door import Preview
from migrations_app.engine.contract.plan import Direction
from migrations_app.fleet.standing import Standing
from migrations_app.permissions import may, needed_for
from migrations_app.rehearsals.forecasts import EarlierError, earlier_error
from migrations_app.rehearsals.freshness import Freshness
from migrations_app.rehearsals.measured import RevisionMeasured, measured
from migrations_app.rehearsals.policy import policy_words
from migrations_app.rehearsals.way_back import NoReturn, WayBack, point_of_no_return, way_back
from migrations_app.statuses import OPEN, REHEARSAL_OPEN, ConsentStatus

SHOWN = 6
_WORDS = {"fresh": "fresh", "stale": "stale", "failed": "failed", "never": "never rehearsed"}


@dataclass(frozen=True)
class Rehearsed:
    """Of the plan that is shown; changes with the fleet, with a rehearsal, and with the minute."""

    found: tuple[Freshness, ...]
    measured: Mapping[str, RevisionMeasured]
    error: EarlierError | None  # of earlier forecasts
    back: WayBack | None
    no_return: NoReturn | None

    @property
    def shown(self) -> tuple[Freshness, ...]:
        return self.found[:SHOWN]

    @property
    def folded(self) -> tuple[Freshness, ...]:
        return self.found[SHOWN:]

    @property
    def tally(self) -> str:
        """`3 fresh, 1 stale`"""
        counted: Counter[str] = Counter(one.state for one in self.found)
        return ", ".join(f"{counted[state]} {word}" for state, word in _WORDS.items() if counted[state])


NOTHING = Rehearsed((), {}, None, None, None)


def look(environment: access.Environment, direction: Direction, plan: Preview | None) -> Rehearsed:
    if plan is None:
        return NOTHING
    found = plan.rehearsals
    down = direction == "down"
    return Rehearsed(
        found,
        measured(found, direction, environment.lock_budget_seconds),
        earlier_error(environment.service_id) if found else None,
        way_back(found) if down else None,
        point_of_no_return(environment, None if down else found),
    )


def newest_rehearsal(request: HttpRequest, environment: access.Environment) -> access.Rehearsal | None:
    return access.rehearsals_for(request.user).filter(environment=environment).order_by("-pk").first()


def waiting_consent(request: HttpRequest, environment: access.Environment) -> access.RollbackConsent | None:
    asked = access.consents_for(request.user).filter(environment=environment, status=ConsentStatus.ASKED)
    return asked.filter(expires_at__gt=timezone.now()).first()


def section_context(
    request: HttpRequest,
    environment: access.Environment,
    standing: Standing,
    plan: Preview | None,
    newest: access.Rehearsal | None,
) -> dict[str, object]:
    return {
        "policy": policy_words(environment),
        "newest_rehearsal": newest,
        "rehearsal_open": newest is not None and newest.status in REHEARSAL_OPEN,
        "may_rehearse": may(request.user, "rehearse"),
        "why_no_rehearsal": _why_not(request, environment, standing, newest),
        "may_ask": plan is not None and {one.code for one in plan.conditions} == {LOSSY},
    }


def _why_not(
    request: HttpRequest, environment: access.Environment, standing: Standing, newest: access.Rehearsal | None
) -> str:
    """Why none can be started now, beside the buttons that are off; the verb itself decides."""
    if not may(request.user, "rehearse"):
        return needed_for("rehearse")
    if standing.run_id and standing.run_status in OPEN:
        return f"Run {standing.run_id} has to end first."
    if newest is not None and newest.status in REHEARSAL_OPEN:
        return f"Rehearsal {newest.pk} is on the way."
    return "Ledger and target have to agree first." if environment.reconcile_note else ""
