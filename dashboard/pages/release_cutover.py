"""The way on from a release's page: to the plan of its cutover, and to what became of the cutovers there were."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils import timezone

from dashboard import access_cutovers
from dashboard.templatetags import text
from migrations_app.permissions import may, needed_for
from migrations_app.releases.gates.reading import Judged
from migrations_app.rollouts.planning import OWN_SIGNATURES, stands_everywhere
from migrations_app.statuses import RELEASE_EDGES, ReleaseStatus

_BEFORE_CUTOVER = frozenset(old for old, new in RELEASE_EDGES if new == ReleaseStatus.CUTTING_OVER)


@dataclass(frozen=True)
class Onward:
    """`why_not` is empty where this reader can cut over now; `broken` are the cutovers that broke the glass."""

    why_not: str
    newest: access_cutovers.Cutover | None
    broken: tuple[access_cutovers.Cutover, ...]
    asked: access_cutovers.BreakGlass | None  # it waits for a second person

    @property
    def state(self) -> str:
        return f"cutover_{self.newest.status}" if self.newest else ""

    @property
    def drawn(self) -> str:
        newest = (self.newest.pk, self.newest.version) if self.newest else None
        return f"{self.why_not} {newest} {len(self.broken)} {self.asked.pk if self.asked else ''}"


def onward_of(request: HttpRequest, found: Judged) -> Onward:
    """Two queries, two more for one that is live."""
    cutovers = tuple(access_cutovers.cutovers_for(request.user).filter(release=found.release))
    waiting = access_cutovers.glasses_for(request.user, found.release).filter(
        answer=None, expires_at__gt=timezone.now()
    )
    return Onward(
        why_not=_why_not(request, found),
        newest=cutovers[0] if cutovers else None,
        broken=tuple(one for one in cutovers if one.glass_id is not None),
        asked=waiting.first(),
    )


def _why_not(request: HttpRequest, found: Judged) -> str:
    if not may(request.user, "cut_over"):
        return needed_for("cut_over")
    if found.state.status not in _BEFORE_CUTOVER:
        return "It is being cut over."
    if found.state.status == ReleaseStatus.LIVE and stands_everywhere(found.release):
        return "It is live everywhere."
    if found.verdict.blocking:
        count = len(found.verdict.blocking)
        return f"{text.counted(count, 'gate').capitalize()} {'blocks' if count == 1 else 'block'}."
    return OWN_SIGNATURES if found.without([request.user.pk or 0]).blocking else ""
