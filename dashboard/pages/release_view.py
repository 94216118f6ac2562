"""The context of a release's gates: the same for the page and its live fragment, so that they cannot differ.

Everything is judged anew for whoever asks; nothing that was kept decides what a page says.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from dashboard import access, stepup
from dashboard.pages.choices import Choice
from dashboard.pages.gate_rows import GateRow, rows_of
from dashboard.pages.query import word
from dashboard.pages.release_cutover import Onward, onward_of
from dashboard.pages.release_history import line_of
from dashboard.templatetags.states import state_of
from migrations_app.permissions import may, needed_for, roles_of, who_may
from migrations_app.releases.around import named_in_audit, neighbours, places_of, transitions_of
from migrations_app.releases.gates.exemptions import exemptions_of
from migrations_app.releases.gates.judging import Verdict
from migrations_app.releases.gates.looking import faults_of
from migrations_app.releases.gates.reading import Judged, judged
from migrations_app.statuses import RELEASE_SENTENCES, ReleaseStatus

# Nothing of these comes by itself: their page is read, not watched.
OVER = frozenset({ReleaseStatus.SUPERSEDED, ReleaseStatus.ROLLED_BACK})
_BEFORE_CUTOVER = frozenset({ReleaseStatus.DRAFT, ReleaseStatus.COLLECTING})
# What comes first about one that was cut over; before that it is the verdict on its gates.
_HEADLINES: dict[str, str] = {
    ReleaseStatus.CUTTING_OVER: "is being cut over.",
    ReleaseStatus.LIVE: "is live.",
    ReleaseStatus.SUPERSEDED: "is superseded.",
    ReleaseStatus.ROLLED_BACK: "was taken back.",
}
_EVERYWHERE = "Every environment runs it."
_KEPT = "_lockstep_gates"


@dataclass(frozen=True)
class Look:
    """One release as it stands for one request."""

    release: access.Release
    judged: Judged
    rows: tuple[GateRow, ...]
    onward: Onward

    @property
    def verdict(self) -> Verdict:
        return self.judged.verdict

    @property
    def status(self) -> str:
        """The stored one, or `ready`, which only the gates can say."""
        stored = self.judged.state.status
        return ReleaseStatus.READY if stored in _BEFORE_CUTOVER and self.verdict.ready else stored

    @property
    def headline(self) -> str:
        said = _HEADLINES.get(self.judged.state.status)
        return f"{self.release.release_id} {said}" if said else self.verdict.sentence

    def row(self, key: str) -> GateRow | None:
        return next((row for row in self.rows if row.key == key), None)


def look(request: HttpRequest, release: access.Release) -> Look:
    """Judged once for each request, however many parts of it ask."""
    kept: Look | None = getattr(request, _KEPT, None)
    if kept is None or kept.release.pk != release.pk:
        kept = look_anew(request, release)
        setattr(request, _KEPT, kept)
    return kept


def look_anew(request: HttpRequest, release: access.Release) -> Look:
    found = judged(release)
    reader = access.require(request.user, "view")
    rows = rows_of(found, exemptions_of(release, found.known.now), faults_of(release), reader)
    return Look(release, found, rows, onward_of(request, found))


def version_of(request: HttpRequest, release: access.Release) -> str:
    """Another one when anything that the page shows is: also what time alone makes stale, and what facts say."""
    found = look(request, release)
    state, drawn = found.judged.state, [row.drawn for row in found.rows]
    told = (state.version, found.status, drawn, found.onward.drawn, sorted(roles_of(request.user)))
    return hashlib.sha256(f"{told} {request.user.pk}".encode()).hexdigest()[:24]


def live_context(request: HttpRequest, found: Look) -> dict[str, object]:
    reads = may(request.user, "view_audit")
    state = found.judged.state
    history = f"{state.version} {reads}"
    places = places_of(found.release)
    return {
        "look": found,
        "release": found.release,
        "service": found.release.service.name,
        "verdict": found.verdict,
        "status": f"release_{found.status}",
        "meaning": _EVERYWHERE
        if found.status == ReleaseStatus.LIVE and places.all
        else RELEASE_SENTENCES[found.status],
        "title": _title(found),
        "reasons": [row for row in found.rows if not row.found.passes],
        "passing": len(found.rows) - len(found.verdict.blocking),
        "places": places.running,
        "audit": tuple(line_of(entry) for entry in transitions_of(found.release)) if reads else None,
        "audit_readers": who_may("view_audit"),
        "audit_url": f"{reverse('audit')}?{urlencode({'object': named_in_audit(found.release)})}",
        "history_drawn": history,
        "lead_drawn": f"{found.status} {found.onward.drawn} {[row.drawn for row in found.rows]}",
        "onward": found.onward,
        "over": found.judged.state.status in OVER,
        "may_report": may(request.user, "post_evidence"),
        "may_ask": may(request.user, "ask_waiver"),
        "me": request.user.get_username(),
    }


@dataclass(frozen=True)
class Signing:
    """The sign-off box: one gate, and the evidence set that a signature would bind."""

    row: GateRow
    evidence_hash: str
    comment: str = ""
    error: str = ""
    shown: str = ""  # another set, which stood there before


def page_context(request: HttpRequest, found: Look, signing: Signing | None = None) -> dict[str, object]:
    """What stands beside the part that changes."""
    signing = signing or _signing(request, found)
    return {
        "around": neighbours(found.release),
        "signing": signing,
        "waiting": _waiting(found, signing),
        "password_wanted": stepup.wanted(request),
        "signers": needed_for("sign_gate"),
        "may_export": may(request.user, "export"),
    }


def _signing(request: HttpRequest, found: Look) -> Signing | None:
    """The gate that the address names, else the first that this reader can sign, else the first that waits."""
    named = found.row(word(request, "sign"))
    waiting = [row for row in found.rows if row.wants_signature]
    mine = [row for row in waiting if not row.why_not]
    row = named or next(iter(mine or waiting), None)
    return Signing(row, row.found.evidence_hash) if row else None


def _waiting(found: Look, signing: Signing | None) -> list[Choice]:
    page = reverse("release", args=[found.release.service.name, found.release.release_id])
    rows = [row for row in found.rows if row.wants_signature or (signing and row.key == signing.row.key)]
    chosen = signing.row.key if signing else ""
    return [
        Choice(f"{row.number} {row.title}", f"{page}?{urlencode({'sign': row.key})}#sign", row.key == chosen)
        for row in rows
    ]


def _title(found: Look) -> str:
    """It begins with the state, for a row of tabs."""
    state = state_of(f"release_{found.status}").word
    if found.status in _BEFORE_CUTOVER:
        state = f"✗ {len(found.verdict.blocking)} blocked"
    elif found.status == ReleaseStatus.READY:
        state = f"✓ {state}"
    return f"{state}: {found.release.release_id} of {found.release.service.name}"
