"""A verdict as a build reads it: what blocks, what only warns, what holds, and whether it passed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from migrations_app.releases.gates.judging import CheckVerdict, GateVerdict, Verdict
from migrations_app.releases.gates.known import Stranger
from migrations_app.statuses import GREEN, CheckState

BLOCK, WARN = "block", "warn"
UNSIGNED, UNKNOWN = "unsigned", "unknown"


@dataclass(frozen=True)
class Finding:
    """`check` is empty where it is about the gate as a whole. `state` is a check's, `unsigned` or `unknown`."""

    gate: str
    check: str
    state: str
    sentence: str

    @property
    def name(self) -> str:
        return f"{self.gate}/{self.check}" if self.check else self.gate


@dataclass(frozen=True)
class GateReport:
    """`mode` is `warn` where no check keeps a release back, whatever it says."""

    mode: str
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    info: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return not self.errors


def report_on(verdict: Verdict, strangers: tuple[Stranger, ...] = ()) -> GateReport:
    errors: list[Finding] = []
    warnings: list[Finding] = []
    info: list[Finding] = []
    for gate in verdict.gates:
        for check in gate.checks:
            _list_for(check, errors, warnings, info).append(_finding(gate, check))
        errors += [Finding(gate.gate.key, "", UNSIGNED, want) for want in gate.wants]
    warnings += [_unknown(one) for one in strangers]
    return GateReport(_mode(verdict), tuple(errors), tuple(warnings), tuple(info))


def _list_for(
    check: CheckVerdict, errors: list[Finding], warnings: list[Finding], info: list[Finding]
) -> list[Finding]:
    """An exemption is a warning for as long as it lets the check pass."""
    if check.blocks:
        return errors
    return info if check.state in GREEN and check.state != CheckState.WAIVED else warnings


def _finding(gate: GateVerdict, check: CheckVerdict) -> Finding:
    return Finding(gate.gate.key, check.check.key, check.state, check.sentence or check.check.title)


def _unknown(one: Stranger) -> Finding:
    told = f"Reported by {one.producer}, and the release's catalogue knows no check of that name."
    return Finding(one.gate, one.check, UNKNOWN, told)


def _mode(verdict: Verdict) -> str:
    every = [check.check for gate in verdict.gates if gate.gate.on for check in gate.checks if check.check.on]
    signed = any(gate.gate.on and gate.gate.signatures for gate in verdict.gates)
    return BLOCK if signed or any(check.blocks for check in every) else WARN
