"""The table and the verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tests.faults.findings import Findings
from tests.faults.options import Options
from tests.faults.outcome import Happened, Tally
from tests.faults.plan import KINDS, PROCESS_KILLS

KILL_P95_S = 20.0
STOP_MAX_S = 120.0
SETTLE_S = 60.0


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def say(line: str = "") -> None:
    print(line, flush=True)


def table(tally: Tally) -> None:
    say(f"{'fault':<52} {'n':>4} {'took over':>9} {'p50':>7} {'p95':>7} {'max':>7}")
    by_kind: dict[str, list[Happened]] = defaultdict(list)
    for one in tally.happened:
        by_kind[one.placed.fault.kind.name].append(one)
    for kind in KINDS:
        if kind.name in by_kind:
            _row(kind.name, by_kind[kind.name])
    _row("all", tally.happened)
    points = Counter(one.point for one in tally.happened)
    say()
    say(f"{len(points)} points: " + ", ".join(f"{point} {n}" for point, n in sorted(points.items())))


def _row(name: str, happened: Sequence[Happened]) -> None:
    times = [one.takeover for one in happened if one.takeover is not None]
    row = f"{name:<52} {len(happened):>4} {len(times):>9}"
    if times:
        row += "".join(f" {value:>6.1f}s" for value in (percentile(times, 0.5), percentile(times, 0.95), max(times)))
    say(row)


SAMPLE_SHARE = 0.9


def judge(options: Options, tally: Tally, findings: Findings, settled_s: float) -> list[str]:
    """Everything that is off, one sentence each; empty when nothing is."""
    bad = list(tally.wrong)
    for what, found in findings.lines():
        if found:
            bad.append(f"{what}: {len(found)} ({'; '.join(found[:5])})")
    bad += _slow(tally)
    # The short sample has few runs: a fault may find its point behind it. The full run has no such excuse.
    enough = options.faults * (SAMPLE_SHARE if options.fast else 1)
    if len(tally.happened) < enough:
        bad.append(f"only {len(tally.happened)} of {options.faults} faults found a place or the time")
    slowest = max((end.settled for end in tally.ends), default=0.0)
    if max(settled_s, slowest) > SETTLE_S:
        bad.append(f"a run ended {max(settled_s, slowest):.0f} s after its last fault, the bar is {SETTLE_S:g} s")
    if tally.restarted:
        bad.append(f"{len(tally.restarted)} runs needed a person")
    return bad


def _slow(tally: Tally) -> list[str]:
    bad = []
    kills = [one.takeover for one in tally.happened if one.placed.fault.kind.part in PROCESS_KILLS and one.takeover]
    stops = [one.takeover for one in tally.happened if one.placed.fault.kind.part == "stop" and one.takeover]
    if kills and percentile(kills, 0.95) > KILL_P95_S:
        bad.append(f"takeover after a kill: p95 {percentile(kills, 0.95):.1f} s, the bar is {KILL_P95_S:g} s")
    if stops and max(stops) > STOP_MAX_S:
        bad.append(f"takeover after a stop: {max(stops):.1f} s, the bar is {STOP_MAX_S:g} s")
    return bad


def numbers(tally: Tally, findings: Findings) -> None:
    say()
    say(
        f"{findings.runs} runs, {findings.receipts} receipts, {findings.ledger} ledger rows, "
        f"{findings.audit_entries} audit entries, {tally.stale_ended} stale processes ended by themselves"
    )
    settled = [end.settled for end in tally.ends]
    if settled:
        say(f"runs ended p95 {percentile(settled, 0.95):.1f} s, max {max(settled):.1f} s after their last fault")
    for what, found in findings.lines():
        say(f"  {what:<40} {len(found)}")
        for one in found[:10]:
            say(f"      {one}")
    say(f"  {'runs that needed a person':<40} {len(tally.restarted)}")
    for end in tally.restarted[:20]:
        say(f"      run {end.run} {end.status}: {end.code}")
