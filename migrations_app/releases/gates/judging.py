"""From what is known to a verdict: pure, so that pages, API and the transaction of a cutover say the same.

A check is as its newest evidence says, while that is young enough; a gate is as its worst check; a release may be cut
over when each gate passes and is signed by people who saw exactly what stands now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from difflib import get_close_matches

from migrations_app.releases.gates.catalogue import Catalogue, Check, Gate, gate_sha256, sha256_of
from migrations_app.releases.gates.known import Exemption, Known, Report, Signature, Stranger
from migrations_app.statuses import GREEN, CheckKind, CheckState, EvidenceStatus
from migrations_app.wording import counted, duration, number, share

_WORST_FIRST = (
    CheckState.FAIL,
    CheckState.STALE,
    CheckState.MISSING,
    CheckState.WAIVED,
    CheckState.PASS,
    CheckState.NOT_APPLICABLE,
)
_ALIKE = 0.6  # of two names, as difflib measures it
_CHANGED = {
    "release": "the release is another",
    "revisions": "the SQL of its revisions changed",
    "taken_back": "it was cut over and taken back since",
    "targets": "a target was added, removed or changed",
    "gate": "the gate's catalogue changed",
}


@dataclass(frozen=True)
class CheckVerdict:
    """`until` is when a check that passes turns stale, or an exemption ends."""

    check: Check
    state: CheckState
    sentence: str
    blocks: bool
    report: Report | None = None
    until: datetime | None = None
    similar: tuple[Stranger, ...] = ()
    exemption: Exemption | None = None
    asked: Exemption | None = None


@dataclass(frozen=True)
class SignatureVerdict:
    """`void` says why it does not count; empty where it does."""

    signature: Signature
    void: str = ""


@dataclass(frozen=True)
class GateVerdict:
    """`evidence_hash` is what a person signs, `parts` what it is made of."""

    gate: Gate
    number: int
    state: CheckState
    checks: tuple[CheckVerdict, ...]
    parts: dict[str, str]
    evidence_hash: str
    signatures: tuple[SignatureVerdict, ...]
    wants: tuple[str, ...]  # what is missing of signatures, as sentences

    @property
    def green(self) -> bool:
        """Whether the evidence is all there; signatures are another matter."""
        return not any(check.blocks for check in self.checks)

    @property
    def passes(self) -> bool:
        return self.green and not self.wants

    @property
    def signed(self) -> tuple[Signature, ...]:
        """One for each person."""
        return _each_once([one.signature for one in self.signatures if not one.void])

    @property
    def sentence(self) -> str:
        """What blocks it, or nothing."""
        blocking = [check for check in self.checks if check.blocks]
        if blocking:
            return " ".join(f"{check.check.title}: {check.sentence}" for check in blocking)
        return " ".join(self.wants)


@dataclass(frozen=True)
class Verdict:
    gates: tuple[GateVerdict, ...]

    @property
    def blocking(self) -> tuple[GateVerdict, ...]:
        return tuple(gate for gate in self.gates if not gate.passes)

    @property
    def ready(self) -> bool:
        return not self.blocking

    @property
    def sentence(self) -> str:
        """`Not ready for cutover: two of eight gates block.`"""
        if not self.blocking:
            every = {1: "its only gate passes", 2: "both gates pass"}
            told = every.get(len(self.gates), f"all {number(len(self.gates))} gates pass")
            return f"Ready for cutover: {told}."
        blocked = len(self.blocking)
        if len(self.gates) == 1:
            return "Not ready for cutover: its only gate blocks."
        return (
            f"Not ready for cutover: {share(blocked, len(self.gates))} gates {'blocks' if blocked == 1 else 'block'}."
        )

    @property
    def changes_at(self) -> datetime | None:
        """When time alone will change it next."""
        moments = [check.until for gate in self.gates for check in gate.checks if check.until]
        moments += [one.signature.expires_at for gate in self.gates for one in gate.signatures if not one.void]
        return min(moments, default=None)

    def gate(self, key: str) -> GateVerdict | None:
        return next((gate for gate in self.gates if gate.gate.key == key), None)


def judge(catalogue: Catalogue, known: Known) -> Verdict:
    return Verdict(tuple(_gate(gate, place, known) for place, gate in enumerate(catalogue.gates, start=1)))


def _gate(gate: Gate, place: int, known: Known) -> GateVerdict:
    checks = tuple(_check(gate, check, known) for check in gate.checks)
    parts = {
        **known.parts,
        "gate": gate_sha256(gate),
        **{f"check:{one.check.key}": _part(one, known, gate) for one in checks},
    }
    digest = sha256_of(parts)
    signatures = tuple(
        SignatureVerdict(one, _void(one, gate, digest, parts, known)) for one in known.signatures.get(gate.key, ())
    )
    counting = _each_once([one.signature for one in signatures if not one.void])
    judged = [one for one in checks if one.blocks or one.state in GREEN]
    state = min((one.state for one in judged), key=_WORST_FIRST.index, default=CheckState.NOT_APPLICABLE)
    wants = _wants(gate, counting) if gate.on else ()
    return GateVerdict(gate, place, state, checks, parts, digest, signatures, wants)


def _check(gate: Gate, check: Check, known: Known) -> CheckVerdict:
    found = _looked_at(gate, check, known)
    if found.state in GREEN:
        return found
    key = (gate.key, check.key)
    exemption = known.exemptions.get(key) if check.waivable else None
    if exemption is not None and (why := _not_counting(exemption, known)):
        return replace(found, sentence=f"{found.sentence} The exemption does not count: {why}.")
    if exemption is not None:
        until = f"Let pass by {exemption.approved_by} for {exemption.requested_by}: {exemption.reason}"
        return CheckVerdict(
            check, CheckState.WAIVED, until, False, found.report, exemption.expires_at, exemption=exemption
        )
    return found


def _not_counting(exemption: Exemption, known: Known) -> str:
    """The word of whoever may not approve it now is worth what their signature is."""
    barred = known.barred.get(exemption.approver_id) if exemption.approver_id is not None else None
    return exemption.lapsed or (f"{exemption.approved_by} {barred}" if barred else "")


def _looked_at(gate: Gate, check: Check, known: Known) -> CheckVerdict:
    """The check as its evidence says, before anybody let it pass."""
    if not gate.on or not check.on:
        return CheckVerdict(check, CheckState.NOT_APPLICABLE, gate.off_reason or check.off_reason, False)
    key = (gate.key, check.key)
    blocks, asked = _blocks(check, known.now), known.asked.get(key)
    outcome = known.outcomes.get(key)
    if outcome is not None:
        state = CheckState(outcome.state)
        return CheckVerdict(check, state, outcome.sentence, blocks and state not in GREEN, asked=asked)
    report = known.reports.get(key)
    if report is None:
        similar = _similar(gate, check, known.strangers)
        return CheckVerdict(
            check, CheckState.MISSING, _missing(gate, check, similar, known.now), blocks, similar=similar, asked=asked
        )
    if report.status == EvidenceStatus.FAIL:
        return CheckVerdict(check, CheckState.FAIL, report.summary or "It does not hold.", blocks, report, asked=asked)
    until = report.at + timedelta(hours=check.max_age_hours)
    if known.now >= until:
        return CheckVerdict(check, CheckState.STALE, _stale(check, report, known.now), blocks, report, asked=asked)
    return CheckVerdict(check, CheckState.PASS, report.summary, False, report, until, asked=asked)


def _blocks(check: Check, now: datetime) -> bool:
    return check.blocks or bool(check.blocks_from and date.fromisoformat(check.blocks_from) <= now.date())


def _missing(gate: Gate, check: Check, similar: Sequence[Stranger], now: datetime) -> str:
    if check.kind == CheckKind.MANUAL:
        return "Nobody has looked at it yet."
    producer = f"from {check.producer} " if check.producer else ""
    told = f"Nothing has reported it; expected {producer}as {gate.key}/{check.key}."
    if similar:
        one = similar[0]
        told += f" {one.gate}/{one.check} was reported {_ago(one.at, now)} ago: is it the same?"
    return told


def _stale(check: Check, report: Report, now: datetime) -> str:
    by = f" by {report.producer}" if report.producer else ""
    return f"Last shown {_ago(report.at, now)} ago{by}; the limit is {check.max_age_hours} h."


def _ago(at: datetime, now: datetime) -> str:
    return duration(max((now - at).total_seconds(), 1) * 1000)


def _similar(gate: Gate, check: Check, strangers: Sequence[Stranger]) -> tuple[Stranger, ...]:
    """Reports of this gate, or of a gate that is not known, under a name like this one; the most alike first."""
    names = {f"{one.gate}/{one.check}": one for one in reversed(strangers)}
    by_check = {one.check: one for one in reversed(strangers) if one.gate == gate.key}
    close = [names[name] for name in get_close_matches(f"{gate.key}/{check.key}", names, cutoff=_ALIKE + 0.2)]
    close += [by_check[name] for name in get_close_matches(check.key, by_check, cutoff=_ALIKE)]
    close += [one for one in by_check.values() if check.key in one.check or one.check in check.key]
    close += [one for one in strangers if check.producer and one.producer == check.producer]
    return tuple(dict.fromkeys(close))


def nearest(catalogue: Catalogue, gate: str, check: str, producer: str = "") -> str:
    """What a report under an unknown name may be meant for, as `gate/check`; empty where nothing is like it."""
    checks = [(one.key, each) for one in catalogue.gates for each in one.checks]
    names = [f"{key}/{each.key}" for key, each in checks]
    beside = {each.key: f"{key}/{each.key}" for key, each in checks if key == gate}
    close = get_close_matches(f"{gate}/{check}", names, n=1, cutoff=_ALIKE + 0.2)
    close += [beside[name] for name in get_close_matches(check, beside, n=1, cutoff=_ALIKE)]
    close += [f"{key}/{each.key}" for key, each in checks if producer and each.producer == producer]
    return close[0] if close else ""


def _part(one: CheckVerdict, known: Known, gate: Gate) -> str:
    """What a signature binds of a check. That time alone has made it stale is no other evidence."""
    key = (gate.key, one.check.key)
    outcome, report = known.outcomes.get(key), known.reports.get(key)
    if outcome is not None:
        told = f"{outcome.state} {outcome.identity}"
    else:
        told = f"{report.status} {report.identity}" if report is not None else "missing"
    if one.state == CheckState.WAIVED and one.exemption is not None:
        return f"exemption {one.exemption.id}; {told}"
    return "not applicable" if outcome is None and one.state == CheckState.NOT_APPLICABLE else told


def _void(signature: Signature, gate: Gate, digest: str, parts: dict[str, str], known: Known) -> str:
    if signature.withdrawn_by:
        reason = f": {signature.withdrawn_reason}" if signature.withdrawn_reason else ""
        return f"Withdrawn by {signature.withdrawn_by}{reason}."
    if signature.disabled:
        return f"The account of {signature.by} is disabled."
    if signature.idle:
        return f"{signature.by} has no role any more that signs."
    if signature.by_id in known.barred:
        return f"{signature.by} {known.barred[signature.by_id]}."
    if signature.evidence_hash != digest:
        return f"Superseded: {_difference(signature.parts, parts, gate)}."
    if known.now >= signature.expires_at:
        return f"Expired: a signature is good for {gate.signature_hours} h."
    return ""


def _difference(signed: Mapping[str, str], stands: Mapping[str, str], gate: Gate) -> str:
    """What changed since, in words."""
    changed = [name for name in (*_CHANGED, *sorted({*signed, *stands})) if signed.get(name) != stands.get(name)]
    told = []
    for name in dict.fromkeys(changed):
        if name in _CHANGED:
            told.append(_CHANGED[name])
            continue
        check = gate.check(name.partition(":")[2])
        told.append(f"there is other evidence of “{check.title if check else name}”")
    return "; ".join(told)


def _wants(gate: Gate, counting: Sequence[Signature]) -> tuple[str, ...]:
    wants = []
    if len(counting) < gate.signatures:
        left = gate.signatures - len(counting)
        wants.append(f"Waits for {counted(left, 'signature')} of {number(gate.signatures)}.")
    wants += [f"Nobody has signed as {role}." for role in _unfilled(gate.roles, counting)]
    return tuple(wants)


def _unfilled(roles: Sequence[str], counting: Sequence[Signature]) -> list[str]:
    """Roles that are left when each person stands for one of them at most, as well as that can be done."""
    holders: dict[str, Signature] = {}

    def fill(role: str, tried: set[int]) -> bool:
        for one in counting:
            if role not in one.roles or one.by_id in tried:
                continue
            tried.add(one.by_id)
            held = next((name for name, holder in holders.items() if holder.by_id == one.by_id), None)
            if held is None or fill(held, tried):
                holders[role] = one
                return True
        return False

    return [role for role in dict.fromkeys(roles) if not fill(role, set())]


def _each_once(signatures: Sequence[Signature]) -> tuple[Signature, ...]:
    return tuple({one.by_id: one for one in reversed(signatures)}.values())
