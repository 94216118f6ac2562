"""What the audit log holds about a release, in plain words; each line leads to the entry as it was written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from dashboard.access import WORDS, AuditEntry
from dashboard.cursors import write
from dashboard.pages.cells import when
from migrations_app.statuses import EvidenceStatus

After = Mapping[str, object]


@dataclass(frozen=True)
class Line:
    """`said` is markup; `url` leads to the whole entry in the audit log."""

    seq: int
    at: datetime
    actor: str
    via: str
    what: str
    said: SafeString
    url: str


def line_of(entry: AuditEntry, without: Collection[str] = ()) -> Line:
    """`without`: what stands elsewhere on the page."""
    data = entry.data if isinstance(entry.data, dict) else {}
    action, after = str(data.get("action") or ""), data.get("after")
    what, said = tell(action, after if isinstance(after, dict) else {}, without)
    older = {"object": data.get("object") or "", "before": write("audit", entry.seq + 1)}
    return Line(
        seq=entry.seq,
        at=entry.at,
        actor=str(data.get("actor") or ""),
        via=str(data.get("via_token") or ""),
        what=what,
        said=said,
        url=f"{reverse('audit')}?{urlencode(older)}#e{entry.seq}",
    )


def tell(action: str, after: After, without: Collection[str] = ()) -> tuple[str, SafeString]:
    """What was done, and what was said with it; an action that is not known here has its name alone."""
    what, names = _TOLD.get(action, (action, ()))
    parts = [_FIELDS[name](after) for name in names if name not in without]
    return what, mark_safe(" · ".join(part for part in parts if part))  # noqa: S308  escaped below


def _plain(name: str, label: str = "") -> Callable[[After], str]:
    """Text, or texts joined with commas."""

    def draw(after: After) -> str:
        value = after.get(name)
        told = ", ".join(str(one) for one in value) if isinstance(value, list) else str(value or "")
        return f"{label}{escape(told)}" if told else ""

    return draw


def _hash(name: str, label: str) -> Callable[[After], str]:
    """As much of it as a person compares; the whole is its title."""

    def draw(after: After) -> str:
        value = str(after.get(name) or "")
        return format_html('{}<code title="{}">{}</code>', label, value, value[:12]) if value else ""

    return draw


def _time(name: str, label: str) -> Callable[[After], str]:
    def draw(after: After) -> str:
        try:
            return f"{label}{when(datetime.fromisoformat(str(after[name])), absolute=True)}"
        except (KeyError, ValueError):
            return ""

    return draw


def _check(after: After) -> str:
    return format_html("<code>{}/{}</code>", after.get("gate", ""), after.get("check", ""))


def _gate(after: After) -> str:
    return format_html("<code>{}</code>", after.get("gate", ""))


def _result(after: After) -> str:
    status = str(after.get("status", ""))
    return f"{_check(after)} {escape(EvidenceStatus(status).label if status in EvidenceStatus else status)}"


def _artefacts(after: After) -> str:
    built = after.get("artefacts")
    names = ", ".join(str(name) for name, _ in built) if isinstance(built, list) else ""
    return f"built: {escape(names)}" if names else ""


def _blockers(after: After) -> str:
    """Pairs of a gate and what it said."""
    pairs = after.get("blockers")
    gates = ", ".join(str(gate) for gate, _ in pairs) if isinstance(pairs, list) else ""
    return f"past {escape(gates)}" if gates else ""


def _refused(after: After) -> str:
    verb = str(after.get("verb", ""))
    return f"to {escape(WORDS.get(verb, verb))}" if verb else ""


_FIELDS: Mapping[str, Callable[[After], str]] = {
    "artefact": _plain("artefact", "file "),
    "artefacts": _artefacts,
    "blockers": _blockers,
    "check": _check,
    "comment": _plain("comment"),
    "commit": _hash("commit", "commit "),
    "cutover": _plain("cutover", "cutover "),
    "environment": _plain("environment"),
    "environments": _plain("environments", "to "),
    "evidence_hash": _hash("evidence_hash", "evidence "),
    "expires_at": _time("expires_at", "until "),
    "gate": _gate,
    "needs": _plain("needs", "that takes "),
    "planned_from": _time("planned_from", "planned from "),
    "producer": _plain("producer", "by "),
    "reason": _plain("reason"),
    "refused": _refused,
    "result": _result,
    "run": _plain("run", "run "),
    "schema": _plain("schema_rev", "schema "),
    "sha256": _hash("sha256", "hash "),
    "summary": _plain("summary"),
    "verdict": _plain("verdict"),
    "why": _plain("why"),
}
_EXEMPTION = ("check", "reason")
_ON_ITS_WAY = ("environment", "run", "cutover")
_TOLD: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "release.register": ("Registered it", ("schema", "commit", "artefacts")),
    "release.bundle": ("Took its evidence as a file", ("sha256",)),
    "evidence.record": ("Reported evidence", ("result", "summary", "producer", "artefact")),
    "gate.look": ("Asked a worker to look", ("check",)),
    "gate.sign": ("Signed a gate", ("gate", "comment", "evidence_hash", "expires_at")),
    "gate.withdraw": ("Withdrew a signature", ("gate", "reason")),
    "waiver.ask": ("Asked for an exemption", (*_EXEMPTION, "expires_at")),
    "waiver.approve": ("Approved an exemption", _EXEMPTION),
    "waiver.decline": ("Declined an exemption", _EXEMPTION),
    "waiver.withdraw": ("Withdrew an exemption", _EXEMPTION),
    "waiver.revoke": ("Revoked an exemption", _EXEMPTION),
    "glass.ask": ("Asked to break the glass", ("reason", "blockers", "expires_at")),
    "glass.break": ("Broke the glass", ("reason", "blockers")),
    "glass.decline": ("Declined to break the glass", ("reason",)),
    "cutover.start": ("Began a cutover", ("environments", "reason", "verdict", "planned_from", "cutover")),
    "cutover.resume": ("Let a cutover go on", ("reason", "cutover")),
    "cutover.give_up": ("Gave a cutover up", ("reason", "cutover")),
    "cutover.take_back": ("Asked to take a cutover back", ("reason", "cutover")),
    "cutover.step": ("Started the run of an environment", _ON_ITS_WAY),
    "cutover.reached": ("An environment runs it", _ON_ITS_WAY),
    "cutover.halt": ("Halted the cutover", ("environment", "why", "cutover")),
    "cutover.done": ("Finished the cutover", ("cutover",)),
    "cutover.step_back": ("Started the way back of an environment", _ON_ITS_WAY),
    "cutover.returned": ("An environment is back", _ON_ITS_WAY),
    "cutover.rolled_back": ("Took the cutover back as a whole", ("cutover",)),
    "denied": ("Was refused", ("refused", "needs")),
}
